//go:build cgo

package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/binary"
	"math/big"

	"github.com/miekg/pkcs11"
)

// The mechanism and the type of Ed25519 keys (PKCS#11 3.0), which the wrapper does not name.
const (
	ckmEdDSA     = 0x1057
	ckkECEdwards = 0x40
)

// A kind is a type of key that can sign in TLS.
type kind int

const (
	kindOther kind = iota
	kindRSA
	kindECDSA
	kindEd25519
)

func kindOf(pub crypto.PublicKey) kind {
	switch pub.(type) {
	case *rsa.PublicKey:
		return kindRSA
	case *ecdsa.PublicKey:
		return kindECDSA
	case ed25519.PublicKey:
		return kindEd25519
	}
	return kindOther
}

// keyKind reads CKA_KEY_TYPE, a CK_ULONG of this machine.
func keyKind(value []byte) kind {
	var n uint64
	switch len(value) {
	case 8:
		n = binary.NativeEndian.Uint64(value)
	case 4:
		n = uint64(binary.NativeEndian.Uint32(value))
	default:
		return kindOther
	}
	switch n {
	case pkcs11.CKK_RSA:
		return kindRSA
	case pkcs11.CKK_EC:
		return kindECDSA
	case ckkECEdwards:
		return kindEd25519
	}
	return kindOther
}

// public reads a public key out of an object's attributes; nil: they are not all there.
func (t *token) public(s session, o pkcs11.ObjectHandle, k kind) crypto.PublicKey {
	switch k {
	case kindRSA:
		n := new(big.Int).SetBytes(t.attribute(s, o, pkcs11.CKA_MODULUS))
		e := new(big.Int).SetBytes(t.attribute(s, o, pkcs11.CKA_PUBLIC_EXPONENT))
		if n.Sign() <= 0 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
			return nil
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}
	case kindECDSA:
		curve := curveOf(t.attribute(s, o, pkcs11.CKA_EC_PARAMS))
		if curve == nil {
			return nil
		}
		// The point is in an OCTET STRING (PKCS#11 2.40 mechanisms, section 2.3.3); some
		// tokens leave that out.
		point := t.attribute(s, o, pkcs11.CKA_EC_POINT)
		for _, p := range [][]byte{octets(point), point} {
			if pub, err := ecdsa.ParseUncompressedPublicKey(curve, p); err == nil {
				return pub
			}
		}
	case kindEd25519:
		point := t.attribute(s, o, pkcs11.CKA_EC_POINT)
		for _, p := range [][]byte{octets(point), point} {
			if len(p) == ed25519.PublicKeySize {
				return ed25519.PublicKey(p)
			}
		}
	}
	return nil
}

// octets takes the contents of a DER OCTET STRING.
func octets(der []byte) []byte {
	var inner []byte
	if rest, err := asn1.Unmarshal(der, &inner); err != nil || len(rest) > 0 {
		return nil
	}
	return inner
}

// The curves of RFC 5480 that TLS has.
var curves = map[string]elliptic.Curve{
	"1.2.840.10045.3.1.7": elliptic.P256(),
	"1.3.132.0.34":        elliptic.P384(),
	"1.3.132.0.35":        elliptic.P521(),
}

func curveOf(params []byte) elliptic.Curve {
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(params, &oid); err != nil || len(rest) > 0 {
		return nil
	}
	return curves[oid.String()]
}
