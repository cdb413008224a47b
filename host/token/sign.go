//go:build cgo

package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/miekg/pkcs11"
)

// Sign signs a digest, or with an Ed25519 key a message. The token draws its own random
// numbers.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	m, data, err := k.mechanism(k.pub, digest, opts)
	if err != nil {
		return nil, err
	}
	var sig []byte
	err = k.token.do(func(s session) error {
		handle, err := k.find(s)
		if err != nil {
			return err
		}
		sig, err = k.signWith(s, handle, m, data)
		if err != nil {
			k.forget()
			return err
		}
		// A handle that another login reuses would sign with another service's key, and a
		// fault in RSA by CRT gives the key away (Boneh, DeMillo and Lipton 1997): no such
		// signature leaves the process.
		if !valid(k.pub, digest, sig, opts) {
			k.forget()
			return fmt.Errorf("token %q: %s: signature: %w", k.token.id.label, k.uri, errVoid)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return sig, nil
}

// signWith makes one signature in a session.
func (k *Key) signWith(s session, handle pkcs11.ObjectHandle, m *pkcs11.Mechanism, data []byte) ([]byte, error) {
	t := k.token
	if err := t.m.ctx.SignInit(s.handle, []*pkcs11.Mechanism{m}, handle); err != nil {
		return nil, t.errorf("signing", err)
	}
	if k.always {
		if err := t.confirm(s); err != nil {
			return nil, err
		}
	}
	sig, err := t.m.ctx.Sign(s.handle, data)
	if err != nil {
		return nil, t.errorf("signing", err)
	}
	if k.kind == kindECDSA {
		return encodeECDSA(sig)
	}
	return sig, nil
}

// confirm sends the PIN for one signature of a key that wants it each time.
func (t *token) confirm(s session) error {
	t.mu.Lock()
	pin := t.pin
	t.mu.Unlock()
	key := t.pinKey(pin)
	if isRefused(key) {
		return fmt.Errorf("token %q: %w", t.id.label, ErrPIN)
	}
	err := t.m.ctx.Login(s.handle, pkcs11.CKU_CONTEXT_SPECIFIC, pin)
	if is(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE) {
		refuse(key)
		return fmt.Errorf("token %q: login for a signature: %w: %w", t.id.label, err, ErrPIN)
	}
	if err != nil {
		return t.errorf("login for a signature", err)
	}
	return nil
}

// The hashes of RSA-PSS as PKCS#11 names them.
var pss = map[crypto.Hash][2]uint{
	crypto.SHA256: {pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
	crypto.SHA384: {pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384},
	crypto.SHA512: {pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512},
}

// mechanism says how a signature is made, and of what bytes.
func (k *Key) mechanism(pub crypto.PublicKey, digest []byte, opts crypto.SignerOpts) (*pkcs11.Mechanism, []byte, error) {
	hash := opts.HashFunc()
	if hash != 0 && hash != crypto.MD5SHA1 && len(digest) != hash.Size() {
		return nil, nil, errors.New("token: the digest has the wrong length")
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if _, ok := opts.(*rsa.PSSOptions); ok {
			names, ok := pss[hash]
			if !ok {
				return nil, nil, fmt.Errorf("token: RSA-PSS with %v", hash)
			}
			// In TLS the salt is as long as the hash (RFC 8446, section 4.2.3).
			return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, pkcs11.NewPSSParams(names[0], names[1], uint(hash.Size()))), digest, nil
		}
		prefix, ok := digestInfo[hash]
		if !ok {
			return nil, nil, fmt.Errorf("token: RSA PKCS #1 with %v", hash)
		}
		return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), append(prefix[:len(prefix):len(prefix)], digest...), nil
	case *ecdsa.PublicKey:
		// Tokens differ in whether they cut a longer digest to the curve's size, as FIPS
		// 186-5, section 6.4.1, has it.
		size := (pub.Curve.Params().N.BitLen() + 7) / 8
		return pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), digest[:min(len(digest), size)], nil
	case ed25519.PublicKey:
		if hash != 0 {
			return nil, nil, errors.New("token: Ed25519 signs messages, not digests")
		}
		return pkcs11.NewMechanism(ckmEdDSA, nil), digest, nil
	}
	return nil, nil, errors.New("token: a key of another type")
}

// digestInfo is what stands before a hash in RSA PKCS #1 v1.5 (RFC 8017, section 9.2);
// TLS 1.1 and older sign MD5 and SHA-1 together without it.
var digestInfo = map[crypto.Hash][]byte{
	crypto.MD5SHA1: {},
	crypto.SHA1:    {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14},
	crypto.SHA256:  shaInfo(1, 32),
	crypto.SHA384:  shaInfo(2, 48),
	crypto.SHA512:  shaInfo(3, 64),
}

// shaInfo makes it for a hash of the SHA-2 family, by the last arc of its OID
// 2.16.840.1.101.3.4.2 and its size.
func shaInfo(arc, size byte) []byte {
	return []byte{0x30, 0x11 + size, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc, 0x05, 0x00, 0x04, size}
}

// encodeECDSA makes the form of RFC 3279 out of a token's: r and s, each half of it.
func encodeECDSA(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw)%2 != 0 {
		return nil, fmt.Errorf("an ECDSA signature of %d bytes: %w", len(raw), errVoid)
	}
	n := len(raw) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:n]), new(big.Int).SetBytes(raw[n:])})
}

// valid checks a signature.
func valid(pub crypto.PublicKey, digest, sig []byte, opts crypto.SignerOpts) bool {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if _, ok := opts.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(pub, opts.HashFunc(), digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
		return rsa.VerifyPKCS1v15(pub, opts.HashFunc(), digest, sig) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pub, digest, sig)
	case ed25519.PublicKey:
		return ed25519.Verify(pub, digest, sig)
	}
	return false
}

// proves tells whether the key belongs to a public one, by a signature of random bytes.
func (k *Key) proves(s session, handle pkcs11.ObjectHandle, pub crypto.PublicKey) bool {
	message := make([]byte, 32)
	rand.Read(message)
	opts := crypto.SignerOpts(crypto.SHA256)
	if k.kind == kindEd25519 {
		opts = crypto.Hash(0)
	}
	m, data, err := k.mechanism(pub, message, opts)
	if err != nil {
		return false
	}
	sig, err := k.signWith(s, handle, m, data)
	return err == nil && valid(pub, message, sig, opts)
}

var _ crypto.Signer = (*Key)(nil)
