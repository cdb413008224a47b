package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Extensions by their object identifiers (RFC 5280 sections 4.2 and 5.2).
var (
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSubjectAltName   = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidNameConstraints  = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidProxyCertInfo    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 14}
	oidOCSPNoCheck      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidNetscapeType     = asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}
)

// A node is a certificate with its names as they are compared.
type node struct {
	*x509.Certificate
	subject, issuer string
	authority       authority
	netscape        byte   // bits of the old certificate type, 0 where there is none
	rejected        bool   // by the operator, see Verifier.Reject
	badTime         string // what is wrong with the form of its validity, see validityForm
}

// newNode fails for names, key identifiers and old types that cannot be read; such a certificate
// takes part in no chain.
func newNode(c *x509.Certificate) (*node, error) {
	n := &node{Certificate: c, badTime: validityForm(c.RawTBSCertificate)}
	var err error
	if n.subject, err = canonical(c.RawSubject); err != nil {
		return nil, err
	}
	n.issuer = n.subject
	if !bytes.Equal(c.RawIssuer, c.RawSubject) {
		if n.issuer, err = canonical(c.RawIssuer); err != nil {
			return nil, err
		}
	}
	if ext := n.extension(oidAuthorityKeyID); ext != nil {
		if n.authority, err = parseAuthority(ext); err != nil {
			return nil, err
		}
	}
	if ext := n.extension(oidNetscapeType); ext != nil {
		n.netscape, err = parseNetscapeType(ext)
	}
	return n, err
}

// extension gives an extension's value, nil where there is none.
func (n *node) extension(oid asn1.ObjectIdentifier) []byte {
	for i := range n.Extensions {
		if n.Extensions[i].Id.Equal(oid) {
			return n.Extensions[i].Value
		}
	}
	return nil
}

func (n *node) selfIssued() bool { return n.subject == n.issuer }

func (n *node) sameKey(as *node) bool {
	return bytes.Equal(n.RawSubjectPublicKeyInfo, as.RawSubjectPublicKeyInfo)
}

// selfSigned says whether a certificate names itself as its issuer. Its signature is not
// checked: a certificate is trusted because the operator lists it.
func (n *node) selfSigned() bool { return n.issuerOf(n) }

// SelfSigned says whether a certificate is its own issuer.
func SelfSigned(c *x509.Certificate) bool {
	n, err := newNode(c)
	return err == nil && n.selfSigned()
}

// issuerOf says whether n may have issued a certificate, by names, key identifiers and
// kind of key.
func (n *node) issuerOf(c *node) bool {
	return n.subject == c.issuer && c.authority.allows(n) && keyKind(c.SignatureAlgorithm, n.PublicKeyAlgorithm)
}

// keyKind says whether a key can have made a signature. A signature of an unknown kind is
// refused where it is checked, with a better reason.
func keyKind(s x509.SignatureAlgorithm, k x509.PublicKeyAlgorithm) bool {
	switch s {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		return k == x509.RSA
	case x509.ECDSAWithSHA1, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return k == x509.ECDSA
	case x509.PureEd25519:
		return k == x509.Ed25519
	}
	return true
}

// An authority is an authority key identifier (RFC 5280 section 4.2.1.1).
type authority struct {
	keyID  []byte
	issuer string // of the issuer's certificate, canonical; with it comes serial
	serial *big.Int
}

// allows says whether the identifier fits an issuer. crypto/x509 only sorts candidates by
// the key's identifier; OpenSSL refuses those that do not fit, by serial number too.
func (a authority) allows(issuer *node) bool {
	if len(a.keyID) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(a.keyID, issuer.SubjectKeyId) {
		return false
	}
	if a.serial != nil && a.serial.Cmp(issuer.SerialNumber) != 0 {
		return false
	}
	return a.issuer == "" || a.issuer == issuer.issuer
}

func parseAuthority(ext []byte) (authority, error) {
	var a authority
	input, seq, field := cryptobyte.String(ext), cryptobyte.String{}, cryptobyte.String{}
	var present bool
	if !input.ReadASN1(&seq, tags.SEQUENCE) || !input.Empty() ||
		!seq.ReadOptionalASN1(&field, &present, tags.Tag(0).ContextSpecific()) {
		return a, errExtension
	}
	if present {
		a.keyID = field
	}
	if !seq.ReadOptionalASN1(&field, &present, tags.Tag(1).ContextSpecific().Constructed()) {
		return a, errExtension
	}
	if present {
		for !field.Empty() {
			name, ok := readGeneralName(&field)
			if !ok {
				return a, errExtension
			}
			if name.kind == directoryName && a.issuer == "" {
				var err error
				if a.issuer, err = canonical(name.value); err != nil {
					return a, err
				}
			}
		}
	}
	if !seq.ReadOptionalASN1(&field, &present, tags.Tag(2).ContextSpecific()) || !seq.Empty() {
		return a, errExtension
	}
	if present {
		var b cryptobyte.Builder
		b.AddASN1(tags.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(field) })
		integer := cryptobyte.String(b.BytesOrPanic())
		a.serial = new(big.Int)
		if !integer.ReadASN1Integer(a.serial) {
			return a, errExtension
		}
	}
	return a, nil
}
