package tlsconf

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// dhParameters is what old tutorials append: a SEQUENCE of two INTEGERs.
const dhParameters = "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n"

const ecParameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"

func TestKeyForms(t *testing.T) {
	r, e := rsaKey(t), ecKey(t, elliptic.P256())
	sec1 := func(c elliptic.Curve) (crypto.Signer, string) {
		k := ecKey(t, c)
		return k, block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(k)))
	}
	p384, p384PEM := sec1(elliptic.P384())
	p521, p521PEM := sec1(elliptic.P521())
	p224, p224PEM := sec1(elliptic.P224())
	ed := edKey(t)
	for _, c := range []struct {
		name string
		key  crypto.Signer
		text string
	}{
		{"RSA, PKCS #1", r, block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r))},
		{"RSA, PKCS #8", r, pkcs8(r)},
		{"ECDSA, SEC 1", e, block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(e)))},
		{"ECDSA, SEC 1 with parameters", e, ecParameters + block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(e)))},
		{"ECDSA, PKCS #8", e, pkcs8(e)},
		{"P-224", p224, p224PEM}, {"P-384", p384, p384PEM}, {"P-521", p521, p521PEM},
		{"Ed25519", ed, pkcs8(ed)},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf := issue(t, "leaf", c.key, nil)
			ctx, err := Build(service(file(t, c.text+certPEM(leaf)), ""), Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := ctx.Config.Certificates[0]
			if !bytes.Equal(got.Leaf.Raw, leaf.cert.Raw) || !got.PrivateKey.(interface{ Equal(crypto.PrivateKey) bool }).Equal(c.key) {
				t.Error("another certificate or key was taken")
			}
			if len(ctx.Warnings) > 0 {
				t.Errorf("warnings: %q", ctx.Warnings)
			}
		})
	}
}

// chain gives the common names of what a service sends.
func chain(t *testing.T, c *Context) string {
	t.Helper()
	var names []string
	for _, der := range c.Config.Certificates[0].Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, cert.Subject.CommonName)
	}
	return strings.Join(names, " ")
}

func TestAnyOrderInOneFileOrTwo(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	upper := issue(t, "upper", ecKey(t, elliptic.P256()), root)
	lower := issue(t, "lower", ecKey(t, elliptic.P256()), upper)
	leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), lower)
	other := issue(t, "other", ecKey(t, elliptic.P256()), nil)
	key := pkcs8(leaf.key)
	junk := "some words\n" + dhParameters + "-----BEGIN SOMETHING NEW-----\nAAAA\n-----END SOMETHING NEW-----\n"
	trusted := func(p *party) string { return block("TRUSTED CERTIFICATE", append(bytes.Clone(p.cert.Raw), 0x30, 0)) }
	for _, c := range []struct{ name, cert, key, want string }{
		{"usual order", certPEM(leaf) + certPEM(lower) + certPEM(upper), key, "leaf lower upper"},
		{"one file", key + certPEM(leaf) + certPEM(lower), "", "leaf lower"},
		{"key last", certPEM(leaf) + certPEM(lower) + key, "", "leaf lower"},
		{"key between", certPEM(leaf) + key + certPEM(lower), "", "leaf lower"},
		{"root first", certPEM(root) + certPEM(upper) + certPEM(lower) + certPEM(leaf), key, "leaf lower upper root"},
		{"mixed", certPEM(upper) + key + certPEM(leaf) + certPEM(root) + certPEM(lower), "", "leaf lower upper root"},
		{"a stranger among them", certPEM(other) + certPEM(leaf) + certPEM(lower), key, "leaf lower other"},
		{"a gap", certPEM(upper) + certPEM(leaf), key, "leaf upper"},
		{"twice", certPEM(leaf) + certPEM(leaf) + certPEM(lower), key, "leaf lower leaf"},
		{"the chain beside the key", certPEM(leaf), key + certPEM(lower) + certPEM(upper), "leaf lower upper"},
		{"the leaf beside the key", certPEM(lower), key + certPEM(leaf), "leaf lower"},
		{"junk all over", junk + certPEM(leaf) + junk + key + junk + certPEM(lower) + junk, "", "leaf lower"},
		{"CRLF", strings.ReplaceAll(certPEM(leaf)+key, "\n", "\r\n"), "", "leaf"},
		{"OpenSSL's trusted form", trusted(leaf) + certPEM(lower), key, "leaf lower"},
		{"the older name", strings.ReplaceAll(certPEM(leaf), "CERTIFICATE", "X509 CERTIFICATE"), key, "leaf"},
		{"two keys: the first", certPEM(leaf) + key + pkcs8(other.key), "", "leaf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := service(file(t, c.cert), "")
			if c.key != "" {
				s.Key = []string{file(t, c.key)}
			}
			ctx, err := Build(s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := chain(t, ctx); got != c.want {
				t.Errorf("sends %s, want %s", got, c.want)
			}
		})
	}
}

func TestBadPairs(t *testing.T) {
	leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), nil)
	other := issue(t, "other", ecKey(t, elliptic.P256()), nil)
	key := pkcs8(leaf.key)
	encrypted := block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0})
	old := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{1, 2},
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}}))
	for _, c := range []struct{ name, cert, key, want string }{
		{"mismatch", certPEM(other), key, "key values mismatch"},
		{"no certificate", dhParameters, key, "no certificate in "},
		{"empty", "", key, "no certificate in "},
		{"no key", certPEM(leaf), dhParameters, "no private key in "},
		{"no key in one file", certPEM(leaf), "", "no private key in "},
		{"encrypted, PKCS #8", certPEM(leaf), encrypted, "there is no terminal to ask"},
		{"encrypted, the old way", certPEM(leaf), old, "there is no terminal to ask"},
		{"a key that is none", certPEM(leaf), block("PRIVATE KEY", []byte("x")), "private key in "},
		{"a certificate that is none", certPEM(leaf) + block("CERTIFICATE", []byte("x")), key, "parsing a certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := service(file(t, c.cert), "")
			if c.key != "" {
				s.Key = []string{file(t, c.key)}
			}
			_, err := Build(s, Options{})
			fails(t, err, c.want)
		})
	}
	t.Run("missing files", func(t *testing.T) {
		_, err := Build(service("/nowhere/x.pem", ""), Options{})
		fails(t, err, "/nowhere/x.pem: no such file or directory")
		_, err = Build(service(file(t, certPEM(leaf)), "/nowhere/key.pem"), Options{})
		fails(t, err, "/nowhere/key.pem: no such file or directory")
	})
	t.Run("a file without end", func(t *testing.T) {
		_, err := Build(service("/dev/zero", ""), Options{})
		fails(t, err, "larger than 16 MiB")
	})
}

func TestReadableKeysAreWarnedOf(t *testing.T) {
	leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), nil)
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true, 0o601: true} {
		path := file(t, certPEM(leaf)+pkcs8(leaf.key))
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		c, err := Build(service(path, ""), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(c.Warnings, "\n"), "Insecure file permissions on "+path); got != want {
			t.Errorf("mode %o: warned %v", mode, got)
		}
	}
}

// Whatever a file holds, reading it gives blocks that lie within it, or an error.
func FuzzReadPEM(f *testing.F) {
	leaf := issue(f, "leaf", ecKey(f, elliptic.P256()), nil)
	f.Add([]byte(certPEM(leaf) + pkcs8(leaf.key) + dhParameters))
	f.Add([]byte(block("TRUSTED CERTIFICATE", []byte{0x30, 0x82, 0xff, 0xff, 1})))
	f.Add([]byte(block("TRUSTED CERTIFICATE", leaf.cert.Raw)))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n"))
	path := f.TempDir() + "/x.pem"
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := readPEM(path)
		var unread *verify.UnreadError
		if errors.As(err, &unread) {
			return
		}
		if err != nil {
			t.Fatalf("a file of %d bytes: %v", len(text), err)
		}
		total := 0
		for _, c := range b.certs {
			total += len(c)
		}
		for _, k := range b.keys {
			total += len(k.Bytes)
			if key, err := parsePrivateKey(k.Type, k.Bytes); (key == nil) == (err == nil) {
				t.Errorf("key %v and error %v", key, err)
			}
		}
		if total > len(text) {
			t.Errorf("%d bytes came out of %d", total, len(text))
		}
		if c, err := Build(service(path, ""), Options{}); (c == nil) == (err == nil) {
			t.Errorf("context %v and error %v", c, err)
		}
	})
}
