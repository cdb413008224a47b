//go:build cgo

package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/pkcs11"
)

// certOf reads a certificate that the set-up made.
func certOf(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(hsm(t).Dir, name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKeys signs with each type of key by what TLS asks of it, and checks against the
// certificate that openssl made.
func TestKeys(t *testing.T) {
	hashes := map[crypto.Hash][]byte{}
	message := []byte("what a handshake signs")
	s1, s256, s384, s512 := sha1.Sum(message), sha256.Sum256(message), sha512.Sum384(message), sha512.Sum512(message)
	hashes[crypto.SHA1], hashes[crypto.SHA256], hashes[crypto.SHA384], hashes[crypto.SHA512] = s1[:], s256[:], s384[:], s512[:]
	hashes[crypto.MD5SHA1] = append(make([]byte, 16), s1[:]...)
	for _, g := range genpkey {
		k := open(t, g.label)
		pub := certOf(t, g.label).PublicKey
		if !k.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(pub) {
			t.Errorf("%s: the token's public key is not the certificate's", g.label)
		}
		if s := k.Schemes(); s != nil {
			t.Errorf("%s is restricted to %v", g.label, s)
		}
		var options []crypto.SignerOpts
		for h := range hashes {
			switch {
			case g.label == "rsa":
				options = append(options, h)
				if h != crypto.SHA1 && h != crypto.MD5SHA1 {
					options = append(options, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h})
				}
			case g.label != "ed25519" && h != crypto.MD5SHA1:
				options = append(options, h)
			}
		}
		if g.label == "ed25519" {
			options = []crypto.SignerOpts{crypto.Hash(0)}
		}
		for _, opts := range options {
			data := message
			if h := opts.HashFunc(); h != 0 {
				data = hashes[h]
			}
			sig, err := k.Sign(rand.Reader, data, opts)
			if err != nil || !valid(pub, data, sig, opts) {
				t.Errorf("%s with %T %v: %v", g.label, opts, opts.HashFunc(), err)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	for _, tc := range []struct {
		label string
		data  int
		opts  crypto.SignerOpts
	}{
		{"rsa", 31, crypto.SHA256},
		{"rsa", 16, crypto.MD5},
		{"rsa", 20, &rsa.PSSOptions{Hash: crypto.SHA1}},
		{"ed25519", 32, crypto.SHA256},
	} {
		if _, err := open(t, tc.label).Sign(nil, make([]byte, tc.data), tc.opts); err == nil {
			t.Errorf("%s signs %d bytes for %v", tc.label, tc.data, tc.opts.HashFunc())
		}
	}
}

// TestPublic has keys whose public half is elsewhere.
func TestPublic(t *testing.T) {
	s := source(t)
	beside := open(t, "beside") // a certificate of the same id has it
	if !beside.Public().(*ecdsa.PublicKey).Equal(certOf(t, "beside").PublicKey) {
		t.Error("the certificate's key is not found")
	}
	right, wrong := certOf(t, "lonely").PublicKey, certOf(t, "p256").PublicKey
	lonely := URI{Token: mainToken, Object: "lonely"}
	k, err := s.Key(lonely, []crypto.PublicKey{certOf(t, "rsa").PublicKey, wrong, right})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if !k.Public().(*ecdsa.PublicKey).Equal(right) {
		t.Error("the candidate that the key signs for is not found")
	}
	if _, err := s.Key(lonely, []crypto.PublicKey{wrong}); err == nil || !strings.Contains(err.Error(), "not that of the certificate") {
		t.Errorf("with another certificate: %v", err)
	}
}

func TestCertificates(t *testing.T) {
	s := source(t)
	s.PIN = "" // they are public
	for _, tc := range []struct {
		uri  string
		want []string
	}{
		{"pkcs11:token=main;object=rsa", []string{"rsa"}},
		{"pkcs11:token=main;id=%42;type=cert", []string{"p256"}},
		{"pkcs11:token=main", []string{"rsa", "p256", "p384", "p521", "ed25519", "beside"}},
	} {
		certs, err := s.Certificates(parse(t, tc.uri))
		if err != nil {
			t.Errorf("%s: %v", tc.uri, err)
		}
		got := map[string]bool{}
		for _, c := range certs {
			got[c.Subject.CommonName] = true
		}
		for _, name := range tc.want {
			if !got[name] || len(got) != len(tc.want) {
				t.Errorf("%s: got %v, want %v", tc.uri, got, tc.want)
			}
		}
	}
}

func TestNotFound(t *testing.T) {
	s := source(t)
	for uri, want := range map[string]string{
		"pkcs11:token=none;object=rsa":              "token for pkcs11:token=none;object=rsa: not found",
		"pkcs11:token=main;object=none":             `token "main": private key pkcs11:token=main;object=none: not found`,
		"pkcs11:token=main":                         `8 private keys fit pkcs11:token=main: say which with id= or object=`,
		"pkcs11:token=main;serial=0;object=rsa":     "not found",
		"pkcs11:slot-id=1;object=rsa":               "not found",
		"pkcs11:token=twin;object=x":                "2 tokens fit pkcs11:token=twin;object=x: say which with token=, serial= or slot-id=",
		"pkcs11:object=rsa":                         "3 tokens fit",
		"pkcs11:token=main;object=rsa;type=cert":    "is not a private key",
		"pkcs11:object=x?module-path=/nowhere/x.so": "PKCS#11 module /nowhere/x.so: no such file or directory",
		"pkcs11:object=x?module-path=/etc/passwd":   "PKCS#11 module /etc/passwd cannot be loaded",
		"pkcs11:object=x?module-path=nowhere.so":    "PKCS#11 module nowhere.so cannot be loaded",
	} {
		k, err := s.Key(parse(t, uri), nil)
		if err == nil {
			k.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", uri, err, want)
		}
	}
	for uri, want := range map[string]string{
		"pkcs11:token=main;object=none":          "certificate pkcs11:token=main;object=none: not found",
		"pkcs11:token=main;object=rsa;type=data": "is not a certificate",
	} {
		if _, err := s.Certificates(parse(t, uri)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", uri, err, want)
		}
	}
}

// TestMechanisms has a token that lacks one of RSA's two.
func TestMechanisms(t *testing.T) {
	h := hsm(t)
	h.Do(t, "nopss", "")
	defer h.Undo("nopss")
	k := open(t, "rsa")
	want := []tls.SignatureScheme{tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512, tls.PKCS1WithSHA1}
	if got := k.Schemes(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestReset pulls the token in many ways; the next signature works.
func TestReset(t *testing.T) {
	h := hsm(t)
	k, other := open(t, "p256"), open(t, "rsa")
	initialized := h.Calls("initialized")
	for _, code := range []uint{
		pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_DEVICE_REMOVED,
		pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_GENERAL_ERROR,
	} {
		h.Do(t, "error", fmt.Sprint(code))
		if err := sign(k); err != nil || h.Pending("error") {
			t.Errorf("after %v: %v", pkcs11.Error(code), err)
		}
	}
	for range 2 {
		before := h.Calls("logins")
		h.Do(t, "reset", "")
		for _, k := range []*Key{k, other} {
			if err := sign(k); err != nil {
				t.Errorf("after a reset: %v", err)
			}
		}
		if n := h.Calls("logins") - before; n != 1 || h.Pending("reset") {
			t.Errorf("%d logins after a reset, not 1", n)
		}
	}
	h.Do(t, "error", fmt.Sprint(pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED))
	if err := sign(k); !is(err, pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED) {
		t.Errorf("an error for the key ends in %v", err)
	}
	if n := h.Calls("initialized"); n != initialized {
		t.Errorf("the module was initialised again, %d times", n-initialized)
	}
}

// TestGone takes the token away, and brings it back.
func TestGone(t *testing.T) {
	h := hsm(t)
	k := open(t, "p256")
	h.Do(t, "gone", "")
	for range 3 {
		if err := sign(k); !errors.Is(err, ErrNotFound) {
			t.Errorf("without its token a key signs: %v", err)
		}
	}
	h.Undo("gone")
	for err := sign(k); err != nil; err = sign(k) {
		if !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	}
}

// TestFull has others take all of the token's sessions once ours are closed. Their handles
// must not be used, nor be closed a second time: they may be somebody else's by now.
func TestFull(t *testing.T) {
	h := hsm(t)
	k := open(t, "p256")
	if err := sign(k); err != nil {
		t.Fatal(err)
	}
	before := k.token.currentEra()
	h.Do(t, "full", "")
	h.Do(t, "reset", "")
	err := sign(k)
	h.Undo("full")
	if !is(err, pkcs11.CKR_SESSION_COUNT) {
		t.Errorf("without a session: %v", err)
	}
	if k.token.currentEra() == before {
		t.Error("sessions that are closed count as open")
	}
	for err := sign(k); err != nil; err = sign(k) {
		if !is(err, pkcs11.CKR_SESSION_COUNT) {
			t.Fatal(err)
		}
	}
}

// TestWrongSignature has the token answer wrongly: such a signature is not given away.
func TestWrongSignature(t *testing.T) {
	h := hsm(t)
	for _, label := range []string{"rsa", "p256", "ed25519"} {
		k := open(t, label)
		before := h.Calls("logins")
		h.Do(t, "wrong", "")
		if err := sign(k); err != nil || h.Pending("wrong") {
			t.Errorf("%s: %v", label, err)
		}
		if h.Calls("logins") != before {
			t.Errorf("%s: a wrong signature ends everybody's sessions", label)
		}
	}
}

// TestWrongPIN sees a PIN sent once, in whatever way it is given again.
func TestWrongPIN(t *testing.T) {
	h := hsm(t)
	u := URI{Token: mainToken, Object: "rsa"}
	s := source(t)
	s.PIN = "1111"
	before := h.Calls("logins")
	for range 5 {
		if _, err := s.Key(u, nil); !errors.Is(err, ErrPIN) || strings.Contains(err.Error(), s.PIN) {
			t.Errorf("a wrong PIN: %v", err)
		}
	}
	u.PIN = "1111"
	if _, err := source(t).Key(u, nil); !errors.Is(err, ErrPIN) {
		t.Errorf("a wrong pin-value: %v", err)
	}
	if n := h.Calls("logins") - before; n != 1 {
		t.Errorf("the wrong PIN was sent %d times", n)
	}
	k := open(t, "rsa")
	// One that is wrong does not get in beside one that is right, and does no harm to it.
	s.PIN = "2222"
	u.PIN = ""
	if _, err := s.Key(u, nil); !errors.Is(err, ErrPIN) {
		t.Errorf("a wrong PIN beside the right one: %v", err)
	}
	if err := sign(k); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestPINSources(t *testing.T) {
	s := source(t)
	s.PIN = ""
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte(mainPIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{
		"pkcs11:token=main;object=p256?pin-value=" + mainPIN,
		"pkcs11:token=main;object=p256?pin-source=" + file,
		"pkcs11:token=main;object=p256?pin-source=file:" + file,
		"pkcs11:token=main;object=p256?pin-source=file%3A%2F%2F" + file,
	} {
		k, err := s.Key(parse(t, uri), nil)
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		k.Close()
	}
	u := URI{Token: mainToken, Object: "p256"}
	if _, err := s.Key(u, nil); err == nil || !strings.Contains(err.Error(), "needs a PIN") {
		t.Errorf("without a PIN: %v", err)
	}
	asked := 0
	s.Ask = func(label string) (string, error) {
		asked++
		return mainPIN, nil
	}
	for range 2 {
		k, err := s.Key(u, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
	}
	if asked != 1 {
		t.Errorf("the PIN was asked for %d times", asked)
	}
}

// TestAlways signs with a key that wants the PIN for each signature.
func TestAlways(t *testing.T) {
	h := hsm(t)
	k := open(t, "always")
	if !k.always {
		t.Fatal("the key is like others")
	}
	before := h.Calls("logins")
	for range 3 {
		if err := sign(k); err != nil {
			t.Error(err)
		}
	}
	if n := h.Calls("logins") - before; n != 3 {
		t.Errorf("%d logins for 3 signatures", n)
	}
}

// TestConcurrent has many sign with several keys while the token is reset, and few sessions.
func TestConcurrent(t *testing.T) {
	h := hsm(t)
	h.Do(t, "room", "4")
	defer h.Undo("room")
	keys := []*Key{open(t, "rsa"), open(t, "p256"), open(t, "ed25519")}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for n := range 20 {
				if i == 0 && n%8 == 0 {
					h.Do(t, "reset", "")
				}
				if err := sign(keys[i%len(keys)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestLast sees the token logged out of by its last key.
func TestLast(t *testing.T) {
	s := source(t)
	u := URI{Token: mainToken, Object: "p256"}
	a, err := s.Key(u, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Key(u, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := a.token.m
	a.Close()
	if err := sign(b); err != nil {
		t.Errorf("the key that is left: %v", err)
	}
	b.Close()
	if m.mu.Lock(); len(m.tokens) != 0 {
		t.Errorf("%d tokens in use", len(m.tokens))
	}
	m.mu.Unlock()
	found, err := m.find(func(_ uint, info pkcs11.TokenInfo) bool { return info.Label == mainToken })
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if n := found[0].info.SessionCount; n != 0 && n != pkcs11.CK_UNAVAILABLE_INFORMATION {
		t.Errorf("%d sessions are left open", n)
	}
}

// TestOtherName loads the module under a second name: its sessions would be ended under
// those who use it by the first.
func TestOtherName(t *testing.T) {
	h := hsm(t)
	open(t, "p256")
	link := filepath.Join(h.Dir, "second.so")
	if err := os.Link(h.Module, link); err != nil {
		t.Fatal(err)
	}
	s := source(t)
	s.Module = link
	if _, err := s.Key(URI{Token: mainToken, Object: "p256"}, nil); err == nil || !strings.Contains(err.Error(), "is in use already, under another name") {
		t.Errorf("got %v", err)
	}
	symlink := filepath.Join(h.Dir, "third.so")
	if err := os.Symlink(h.Module, symlink); err != nil {
		t.Fatal(err)
	}
	s.Module = symlink
	k, err := s.Key(URI{Token: mainToken, Object: "p256"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
}
