package matrix

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"fmt"
	"sync"
)

// A key is made once for each kind and number, since RSA keys take their time.
type key struct {
	signer crypto.Signer
	spki   []byte // SubjectPublicKeyInfo
	id     []byte // its key identifier
}

var keys struct {
	sync.Mutex
	made map[string]*key
}

// newKey gives the key of a kind, such as "rsa1024" or "p256", with a number.
func newKey(kind string, number int) *key {
	keys.Lock()
	defer keys.Unlock()
	name := fmt.Sprintf("%s/%d", kind, number)
	if k := keys.made[name]; k != nil {
		return k
	}
	signer := generate(kind)
	spki := must(x509.MarshalPKIXPublicKey(signer.Public()))
	id := sha1.Sum(spki)
	k := &key{signer, spki, id[:]}
	if keys.made == nil {
		keys.made = map[string]*key{}
	}
	keys.made[name] = k
	return k
}

func generate(kind string) crypto.Signer {
	bits := map[string]int{"rsa1024": 1024, "rsa2048": 2048, "rsa3072": 3072}
	curves := map[string]elliptic.Curve{"p224": elliptic.P224(), "p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()}
	switch {
	case bits[kind] > 0:
		return must(rsa.GenerateKey(rand.Reader, bits[kind]))
	case curves[kind] != nil:
		return must(ecdsa.GenerateKey(curves[kind], rand.Reader))
	case kind == "ed25519":
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return must(k, err)
	}
	panic("no kind of key: " + kind)
}

// must passes on what cannot fail here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
