package ocsp

import (
	"bytes"
	"crypto"
	"crypto/rand"
	_ "crypto/sha1" // RFC 6960's usual hash of certificate ids
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"errors"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A question is about one certificate of a chain that was verified.
type question struct {
	cert   *x509.Certificate
	issuer *x509.Certificate
	above  []*x509.Certificate // the issuer's issuers, up to the anchor
}

// questionAt makes the question about a certificate of a chain, other than the anchor.
func questionAt(chain []*x509.Certificate, depth int) *question {
	return &question{cert: chain[depth], issuer: chain[depth+1], above: chain[depth+2:]}
}

// nonceLength is the longest that RFC 8954 allows. A nonce is a peer's only way to
// choose what a responder signs, hence a limit at all.
const nonceLength = 32

// newNonce makes the value of a nonce extension: an OCTET STRING of random bytes.
func newNonce() []byte {
	value := make([]byte, 2+nonceLength)
	value[0], value[1] = 4, nonceLength
	rand.Read(value[2:]) // never fails
	return value
}

var (
	oidSHA1   = encoding_asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = encoding_asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = encoding_asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = encoding_asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidNonce  = encoding_asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
)

// hashes are those that a certificate id may be made with. Ours is by SHA-1, as every
// responder understands; there it only names, and whoever finds a collision has no
// signature for it.
var hashes = []struct {
	oid  encoding_asn1.ObjectIdentifier
	hash crypto.Hash
}{{oidSHA1, crypto.SHA1}, {oidSHA256, crypto.SHA256}, {oidSHA384, crypto.SHA384}, {oidSHA512, crypto.SHA512}}

// request makes the OCSPRequest (RFC 6960, section 4.1.1), with a nonce extension
// unless it is nil.
func (q *question) request(nonce []byte) ([]byte, error) {
	key, err := publicKeyBits(q.issuer)
	if err != nil {
		return nil, err
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { // OCSPRequest
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { // TBSRequest
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { // requestList
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { // Request
					addCertID(b, oidSHA1, digest(crypto.SHA1, q.issuer.RawSubject), digest(crypto.SHA1, key), q.cert.SerialNumber)
				})
			})
			if nonce != nil {
				addNonce(b, asn1.Tag(2), nonce)
			}
		})
	})
	return b.Bytes()
}

func addCertID(b *cryptobyte.Builder, hash encoding_asn1.ObjectIdentifier, name, key []byte, serial *big.Int) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(hash)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(name)
		b.AddASN1OctetString(key)
		b.AddASN1BigInt(serial)
	})
}

// addNonce adds a list of extensions with a nonce alone.
func addNonce(b *cryptobyte.Builder, tag asn1.Tag, nonce []byte) {
	b.AddASN1(tag.ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidNonce)
				b.AddASN1OctetString(nonce)
			})
		})
	})
}

// asks tells whether a certificate id is that of the question: the issuer's name and key
// and the serial number. A serial number by itself is not enough, another CA has given
// out the same.
func (q *question) asks(id *certID) bool {
	if id.serial.Cmp(q.cert.SerialNumber) != 0 {
		return false
	}
	for _, h := range hashes {
		if h.oid.Equal(id.hash) {
			key, err := publicKeyBits(q.issuer)
			return err == nil && bytes.Equal(id.name, digest(h.hash, q.issuer.RawSubject)) && bytes.Equal(id.key, digest(h.hash, key))
		}
	}
	return false
}

func digest(h crypto.Hash, data []byte) []byte {
	d := h.New()
	d.Write(data)
	return d.Sum(nil)
}

// publicKeyBits are the contents of a certificate's key, without algorithm, as ids and
// responder ids hash them.
func publicKeyBits(c *x509.Certificate) ([]byte, error) {
	der := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var info cryptobyte.String
	var bits encoding_asn1.BitString
	if !der.ReadASN1(&info, asn1.SEQUENCE) || !info.SkipASN1(asn1.SEQUENCE) || !info.ReadASN1BitString(&bits) {
		return nil, errors.New("malformed public key")
	}
	return bits.RightAlign(), nil
}
