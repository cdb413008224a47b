//go:build cgo

package token

import (
	"crypto"
	"crypto/tls"
	"fmt"
	"sync"

	"github.com/miekg/pkcs11"
)

// A Key is a private key in a token. It is safe for concurrent use: signatures are made
// side by side, each in a session of its own. Close it once; nobody may sign then.
type Key struct {
	token *token
	uri   URI
	kind  kind
	pub   crypto.PublicKey

	// always says that the PIN is asked for at each signature (CKA_ALWAYS_AUTHENTICATE).
	always bool
	can    map[uint]bool // the mechanisms that sign

	mu     sync.Mutex
	handle pkcs11.ObjectHandle
	era    uint64 // in which handle is valid
}

// Key opens a private key. Its public half is one of the candidates where the token does
// not have it: those of the certificates that may belong to it.
func (s Source) Key(u URI, candidates []crypto.PublicKey) (*Key, error) {
	if u.Type != "" && u.Type != "private" {
		return nil, fmt.Errorf("%s is not a private key", u)
	}
	t, err := s.open(u, true)
	if err != nil {
		return nil, err
	}
	k := &Key{token: t, uri: u}
	if err := t.do(func(s session) error { return k.prepare(s, candidates) }); err != nil {
		t.close()
		return nil, err
	}
	return k, nil
}

// prepare finds the key and learns what has to be known of it.
func (k *Key) prepare(s session, candidates []crypto.PublicKey) error {
	t := k.token
	handle, err := k.find(s)
	if err != nil {
		return err
	}
	if k.kind = keyKind(t.attribute(s, handle, pkcs11.CKA_KEY_TYPE)); k.kind == kindOther {
		return fmt.Errorf("token %q: %s is not an RSA, ECDSA or Ed25519 key", t.id.label, k.uri)
	}
	always := t.attribute(s, handle, pkcs11.CKA_ALWAYS_AUTHENTICATE)
	k.always = len(always) == 1 && always[0] != 0
	if k.can, err = t.mechanisms(); err != nil {
		return err
	}
	if len(k.schemes()) == 0 {
		return fmt.Errorf("token %q: %s: the token does not sign with such a key", t.id.label, k.uri)
	}
	k.pub, err = k.publicKey(s, handle, candidates)
	return err
}

// find gives the key's handle in the era of a session.
func (k *Key) find(s session) (pkcs11.ObjectHandle, error) {
	k.mu.Lock()
	handle, era := k.handle, k.era
	k.mu.Unlock()
	if handle != 0 && era == s.era {
		return handle, nil
	}
	found, err := k.token.objects(s, k.uri.template(pkcs11.CKO_PRIVATE_KEY))
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0 && !k.token.loggedIn(s):
		// A token that was reset hides its keys, and has no other word for that.
		return 0, k.token.errorf("looking for the key", pkcs11.Error(pkcs11.CKR_USER_NOT_LOGGED_IN))
	case len(found) == 0:
		return 0, fmt.Errorf("token %q: private key %s: %w", k.token.id.label, k.uri, ErrNotFound)
	case len(found) > 1:
		return 0, fmt.Errorf("token %q: %d private keys fit %s: say which with id= or object=", k.token.id.label, len(found), k.uri)
	}
	k.mu.Lock()
	k.handle, k.era = found[0], s.era
	k.mu.Unlock()
	return found[0], nil
}

// forget has the next signature look for the key again.
func (k *Key) forget() {
	k.mu.Lock()
	k.handle = 0
	k.mu.Unlock()
}

// mechanisms lists what the token signs with.
func (t *token) mechanisms() (map[uint]bool, error) {
	t.mu.Lock()
	slot := t.slot
	t.mu.Unlock()
	list, err := t.m.ctx.GetMechanismList(slot)
	if err != nil {
		return nil, t.errorf("listing mechanisms", err)
	}
	can := map[uint]bool{}
	for _, m := range list {
		switch m.Mechanism {
		case pkcs11.CKM_RSA_PKCS, pkcs11.CKM_RSA_PKCS_PSS, pkcs11.CKM_ECDSA, ckmEdDSA:
		default:
			continue // a token may list 100, and each question be a way through a network
		}
		info, err := t.m.ctx.GetMechanismInfo(slot, []*pkcs11.Mechanism{m})
		can[m.Mechanism] = err != nil || info.Flags&pkcs11.CKF_SIGN != 0
	}
	return can, nil
}

// schemes are the signatures of TLS that the token can make with the key.
func (k *Key) schemes() []tls.SignatureScheme {
	var s []tls.SignatureScheme
	switch k.kind {
	case kindRSA:
		if k.can[pkcs11.CKM_RSA_PKCS_PSS] {
			s = append(s, tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512)
		}
		if k.can[pkcs11.CKM_RSA_PKCS] {
			s = append(s, tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512, tls.PKCS1WithSHA1)
		}
	case kindECDSA:
		if k.can[pkcs11.CKM_ECDSA] {
			s = append(s, tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512, tls.ECDSAWithSHA1)
		}
	case kindEd25519:
		if k.can[ckmEdDSA] {
			s = append(s, tls.Ed25519)
		}
	}
	return s
}

// Schemes are the signatures that crypto/tls may ask the key for, for a certificate's
// SupportedSignatureAlgorithms; nil: all that keys of its type make.
func (k *Key) Schemes() []tls.SignatureScheme {
	if k.kind != kindRSA || k.can[pkcs11.CKM_RSA_PKCS] && k.can[pkcs11.CKM_RSA_PKCS_PSS] {
		return nil
	}
	return k.schemes()
}

// Public is the public half.
func (k *Key) Public() crypto.PublicKey { return k.pub }

// Close gives the key up, and the token's sessions with the last key.
func (k *Key) Close() { k.token.close() }
