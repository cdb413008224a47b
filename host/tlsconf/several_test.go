package tlsconf

import (
	"crypto"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// several is a service with lists of files.
func several(certs, keys []string) *config.Service {
	s := service("", "")
	s.Cert, s.Key = certs, keys
	if len(keys) == 0 {
		s.Key = certs
	}
	return s
}

func TestKeysFindTheirCertificates(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	r, e := issue(t, "rsa", rsaKey(t), root), issue(t, "ecdsa", ecKey(t, elliptic.P256()), root)
	rc, ec := file(t, certPEM(r)+certPEM(root)), file(t, certPEM(e)+certPEM(root))
	rk, ek := file(t, pkcs8(r.key)), file(t, pkcs8(e.key))
	rb, eb := file(t, certPEM(r)+pkcs8(r.key)), file(t, pkcs8(e.key)+certPEM(e))
	beside := file(t, certPEM(e)+pkcs8(e.key))
	issuer := file(t, certPEM(root))
	stray := file(t, pkcs8(ecKey(t, elliptic.P256())))
	type list = []string
	for _, c := range []struct {
		name        string
		certs, keys list
		want        string // what each certificate sends; or the error
	}{
		{"in order", list{rc, ec}, list{rk, ek}, "rsa root, ecdsa root"},
		{"crosswise", list{rc, ec}, list{ek, rk}, "rsa root, ecdsa root"},
		{"the other first", list{ec, rc}, list{rk, ek}, "ecdsa root, rsa root"},
		{"each with its key", list{rb, eb}, nil, "rsa, ecdsa"},
		{"each with its key, named again", list{rb, eb}, list{eb, rb}, "rsa, ecdsa"},
		{"one with its key", list{rb, ec}, list{ek}, "rsa, ecdsa root"},
		{"a leaf beside its key", list{issuer, rb}, list{beside, rb}, "ecdsa root, rsa"},
		{"a key too few", list{rc, ec}, list{rk}, ec + ": key values mismatch: no certificate belongs"},
		{"a key too many", list{rc}, list{rk, ek}, ek + ": key values mismatch: the private key belongs to no"},
		{"a wrong key", list{rc, ec}, list{rk, stray}, ec + ": key values mismatch"},
		{"no key", list{rc, ec}, nil, "no private key in " + rc},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, err := Build(several(c.certs, c.keys), Options{})
			if err != nil {
				fails(t, err, c.want)
				return
			}
			var sent []string
			for _, cert := range ctx.Config.Certificates {
				var names []string
				for _, der := range cert.Certificate {
					parsed, err := x509.ParseCertificate(der)
					if err != nil {
						t.Fatal(err)
					}
					names = append(names, parsed.Subject.CommonName)
				}
				if !owns(cert.PrivateKey.(crypto.Signer), cert.Leaf) {
					t.Errorf("%s has another's key", names[0])
				}
				sent = append(sent, strings.Join(names, " "))
			}
			if got := strings.Join(sent, ", "); got != c.want {
				t.Errorf("sends %s, want %s", got, c.want)
			}
		})
	}
}

// Each kind of client gets the kind of certificate that it can verify, whatever name it
// asks for and whatever names are in the certificates.
func TestClientsGetTheirKind(t *testing.T) {
	r, e := issue(t, "rsa", rsaKey(t), nil), issue(t, "ecdsa", ecKey(t, elliptic.P256()), nil)
	rf, ef := file(t, certPEM(r)+pkcs8(r.key)), file(t, certPEM(e)+pkcs8(e.key))
	for _, order := range [][]string{{rf, ef}, {ef, rf}} {
		server, err := Build(several(order, nil), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"", "elsewhere.example", "ecdsa", "rsa"} {
			for suite, want := range map[uint16]string{
				tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:   "rsa",
				tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ecdsa",
			} {
				client := &tls.Config{InsecureSkipVerify: true, ServerName: name, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
				_, got, err := handshake(t, server.Config, client)
				if err != nil {
					t.Errorf("%s first, name %q, %s alone: %v", server.Config.Certificates[0].Leaf.Subject.CommonName, name, want, err)
				} else if cn := got.PeerCertificates[0].Subject.CommonName; cn != want {
					t.Errorf("name %q: got %s, want %s", name, cn, want)
				}
			}
		}
		client := &tls.Config{InsecureSkipVerify: true, ServerName: "elsewhere.example"}
		_, got, err := handshake(t, server.Config, client)
		if err != nil {
			t.Fatal(err)
		}
		if want := server.Config.Certificates[0].Leaf; !got.PeerCertificates[0].Equal(want) {
			t.Errorf("a client that takes both got %v, not the first", got.PeerCertificates[0].Subject)
		}
	}
}

// A token stands for a store that is none of files.
type token struct{ of map[string]*party }

func (k token) Holds(_ *config.Service, value string) bool { return strings.HasPrefix(value, "token:") }

func (k token) Certificates(_ *config.Service, value string) ([][]byte, error) {
	p := k.of[value]
	if p == nil {
		return nil, errors.New("no such object")
	}
	if p.cert == nil {
		return nil, nil
	}
	return [][]byte{p.cert.Raw}, nil
}

func (k token) Key(_ *config.Service, value string, _ []crypto.PublicKey) (crypto.Signer, error) {
	if p := k.of[value]; p.key != nil {
		return p.key, nil
	}
	return nil, errNoKey
}

func (k token) Trusted(_ *config.Service, value string) ([]*x509.Certificate, error) {
	if p := k.of[value]; p != nil {
		return []*x509.Certificate{p.cert}, nil
	}
	return nil, errors.New("no such object")
}

func TestStore(t *testing.T) {
	p := issue(t, "kept", ecKey(t, elliptic.P256()), nil)
	o := Options{Store: token{map[string]*party{"token:both": p, "token:key": {key: p.key}, "token:cert": {cert: p.cert}}}}
	path := file(t, certPEM(p))
	for _, c := range []struct{ cert, key, want string }{
		{"token:both", "token:both", ""},
		{"token:cert", "token:key", ""},
		{path, "token:key", ""},
		{"token:cert", file(t, pkcs8(p.key)), ""},
		{"token:cert", "token:cert", "no private key in token:cert"},
		{"token:key", "token:key", "no certificate in token:key"},
		{"token:gone", "token:key", "no such object"},
	} {
		_, err := Build(service(c.cert, c.key), o)
		if c.want != "" {
			fails(t, err, c.want)
		} else if err != nil {
			t.Errorf("%s and %s: %v", c.cert, c.key, err)
		}
	}
}
