package tlsconf

import (
	"crypto"
	"crypto/elliptic"
	"strings"
	"testing"
)

func TestFIPSKeys(t *testing.T) {
	for name, c := range map[string]struct {
		key crypto.Signer
		ok  bool
	}{
		"RSA": {rsaKey(t), true}, "P-256": {ecKey(t, elliptic.P256()), true}, "P-521": {ecKey(t, elliptic.P521()), true},
		"Ed25519": {edKey(t), true}, "P-224": {ecKey(t, elliptic.P224()), false},
	} {
		p := issue(t, name, c.key, nil)
		path := file(t, certPEM(p)+pkcs8(p.key))
		_, err := Build(service(path, ""), Options{FIPS: true})
		if c.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "is not approved") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Build(service(path, ""), Options{}); err != nil {
			t.Errorf("%s without FIPS mode: %v", name, err)
		}
	}
}
