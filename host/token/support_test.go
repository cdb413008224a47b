//go:build cgo

package token

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// Two tokens with their PINs, and one of the second's label.
const (
	mainToken, mainPIN = "main", "4711"
	twinToken, twinPIN = "twin", "999999"
)

// genpkey are the keys of the main token, by label, as openssl makes them. Their ids are
// 41, 42 ... in this order.
var genpkey = []struct{ label, args string }{
	{"rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"},
	{"p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"},
	{"p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"},
	{"p521", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521"},
	{"ed25519", "-algorithm ED25519"},
}

// theHSM is one for all tests: SoftHSM reads its configuration once in a process.
var theHSM struct {
	once sync.Once
	made *testpeer.SoftHSM
	dir  string
}

func TestMain(m *testing.M) {
	if os.Getenv(jail) != "" {
		os.Exit(signInJail())
	}
	dir, err := os.MkdirTemp("", "token")
	if err != nil {
		panic(err)
	}
	theHSM.dir = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

func hsm(t testing.TB) *testpeer.SoftHSM {
	t.Helper()
	theHSM.once.Do(func() {
		h := testpeer.SoftHSMIn(t, theHSM.dir)
		h.Token(mainToken, mainPIN)
		h.Token(twinToken, twinPIN)
		h.Token(twinToken, twinPIN)
		for i, k := range genpkey {
			key, cert := h.Key(k.label, strings.Fields(k.args)...)
			id := "4" + string(rune('1'+i))
			h.Import(mainToken, mainPIN, key, k.label, id, true)
			h.Certificate(mainToken, mainPIN, cert, k.label, id)
		}
		// The point of a curve is in no private key: this one has its certificate alone.
		key, _ := h.Key("lonely", strings.Fields(genpkey[1].args)...)
		h.Import(mainToken, mainPIN, key, "lonely", "51", false)
		besideKey, cert := h.Key("beside", strings.Fields(genpkey[1].args)...)
		h.Import(mainToken, mainPIN, besideKey, "beside", "52", false)
		h.Certificate(mainToken, mainPIN, cert, "beside", "52")
		key, _ = h.Key("always", strings.Fields(genpkey[0].args)...)
		h.P11tool(mainToken, mainPIN, "--write", "--load-privkey", key, "--label=always", "--id=61", "--mark-always-authenticate")
		h.Break()
		for _, v := range h.Env {
			name, value, _ := strings.Cut(v, "=")
			os.Setenv(name, value)
		}
		theHSM.made = h
	})
	if theHSM.made == nil {
		testpeer.Skip(t, "SoftHSM could not be set up, as another test says")
	}
	return theHSM.made
}

// source is the main token with its PIN.
func source(t testing.TB) Source {
	return Source{Module: hsm(t).Module, PIN: mainPIN, Log: func(text string) { t.Log(text) }}
}

func parse(t testing.TB, uri string) URI {
	t.Helper()
	u, err := ParseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open opens a key of the main token.
func open(t testing.TB, label string) *Key {
	t.Helper()
	k, err := source(t).Key(URI{Token: mainToken, Object: label}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// sign makes and checks one signature. RSA keys sign by PSS.
func sign(k *Key) error {
	message := make([]byte, 32)
	rand.Read(message)
	digest := sha256.Sum256(message)
	opts := crypto.SignerOpts(crypto.SHA256)
	switch k.kind {
	case kindRSA:
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	case kindEd25519:
		opts = crypto.Hash(0)
	}
	sig, err := k.Sign(rand.Reader, digest[:], opts)
	if err != nil {
		return err
	}
	if !valid(k.pub, digest[:], sig, opts) {
		return errVoid
	}
	return nil
}
