package tlsconf

import (
	"bytes"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestStoredTrust has a client that trusts what CAengine and CAstore name, and nothing else.
func TestStoredTrust(t *testing.T) {
	trusted, stranger := issue(t, "trusted", ecKey(t, elliptic.P256()), nil), issue(t, "stranger", ecKey(t, elliptic.P256()), nil)
	other := issue(t, "other", ecKey(t, elliptic.P256()), nil)
	dir := t.TempDir()
	path := filepath.Join(dir, "any name")
	if err := os.WriteFile(path, []byte(certPEM(trusted)+certPEM(other)), 0o600); err != nil {
		t.Fatal(err)
	}
	rejecting := t.TempDir()
	settings := []byte{0x30, 0x0c, 0xa0, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01} // serverAuth is rejected
	for name, text := range map[string]string{"a": certPEM(trusted), "b": block("TRUSTED CERTIFICATE", append(bytes.Clone(trusted.cert.Raw), settings...))} {
		if err := os.WriteFile(filepath.Join(rejecting, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Store: token{map[string]*party{"token:trusted": trusted, "token:other": other}}}
	for _, tc := range []struct {
		engine []string
		store  string
		file   string
		want   string // of the error; empty: trusted is accepted, and stranger is not
	}{
		{engine: []string{"token:other", "token:trusted"}},
		{store: "token:trusted"},
		{store: path},
		{store: "file:" + path},
		{store: "file://" + dir},
		{store: dir, engine: []string{"token:other"}},
		{engine: []string{"token:trusted"}, file: file(t, certPEM(other))},
		{engine: []string{"token:none"}, want: "no such object"},
		{engine: []string{"plain"}, want: "names no certificate in an engine"},
		{store: "token:none", want: "no such object"},
		{store: filepath.Join(dir, "none"), want: "no such file"},
		{store: rejecting, want: "marked as rejected"},
		{store: filepath.Join(rejecting, "b"), want: "marked as rejected"},
		{store: t.TempDir(), want: "no certificate in"},
	} {
		s := &config.Service{Name: "c", Client: true, VerifyChain: true, RequireCert: true, RequestCert: true, CAfile: tc.file,
			Trust: config.Trust{CAengine: tc.engine, CAstore: tc.store}}
		c, err := Build(s, o)
		if tc.want != "" {
			fails(t, err, tc.want)
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", s.Trust, err)
			continue
		}
		for _, p := range []*party{trusted, stranger} {
			err := c.Verifier.Check(t.Context(), tls.ConnectionState{PeerCertificates: []*x509.Certificate{p.cert}}, nil)
			if (err == nil) != (p == trusted) {
				t.Errorf("%+v with %s: %v", s.Trust, p.cert.Subject.CommonName, err)
			}
		}
	}
}
