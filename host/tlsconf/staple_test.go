package tlsconf

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// named makes a server's leaf that names a responder.
func named(t *testing.T, by *party, responder ...string) *party {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "named"}, OCSPServer: responder,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &party{cert, key}
}

// TestStapling has the staple come to a configuration that is in use, and go to resumed and
// new handshakes alike; to none before the first response.
func TestStapling(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	var made []byte
	responder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked, err := ocsp.ParseRequest(body)
		if err != nil {
			t.Error(err)
			return
		}
		now := time.Now().Truncate(time.Second)
		made, err = ocsp.CreateResponse(root.cert, root.cert, ocsp.Response{Status: ocsp.Good, SerialNumber: asked.SerialNumber,
			ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, root.key)
		if err != nil {
			t.Error(err)
		}
		w.Write(made)
	}))
	defer responder.Close()
	leaf := named(t, root, responder.URL)
	rootFile := file(t, certPEM(root))
	for name, with := range map[string]func(s *config.Service){
		"issuer sent along":   func(s *config.Service) { s.Cert = []string{file(t, certPEM(leaf)+certPEM(root)+pkcs8(leaf.key))} },
		"issuer in CAfile":    func(s *config.Service) { s.CAfile = rootFile },
		"responder by option": func(s *config.Service) { s.CAfile, s.OCSP.URL = rootFile, responder.URL },
	} {
		t.Run(name, func(t *testing.T) {
			s := service(file(t, certPEM(leaf)+pkcs8(leaf.key)), "")
			s.OCSP.Timeout = time.Minute
			with(s)
			s.Key = s.Cert
			if s.OCSP.URL != "" {
				plain := named(t, root)
				s.Cert = []string{file(t, certPEM(plain)+pkcs8(plain.key))}
				s.Key = s.Cert
			}
			server, err := Build(s, Options{})
			if err != nil || len(server.Staplers) != 1 {
				t.Fatalf("%v, %d staplers", err, len(server.Staplers))
			}
			client := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}
			for _, sni := range []string{"", "name.example"} {
				client.ServerName = sni
				if _, cs, err := handshake(t, server.Config, client); err != nil || cs.OCSPResponse != nil {
					t.Errorf("before the first: %d bytes, %v", len(cs.OCSPResponse), err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { server.Staplers[0].Run(ctx, nil) })
			for late := time.Now().Add(testpeer.Patience); server.Staplers[0].Staple() == nil && time.Now().Before(late); {
				time.Sleep(time.Millisecond)
			}
			cancel()
			wg.Wait()
			for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				client.MinVersion, client.MaxVersion = v, v
				if _, cs, err := handshake(t, server.Config, client); err != nil || string(cs.OCSPResponse) != string(made) {
					t.Errorf("%x: %d bytes, %v", v, len(cs.OCSPResponse), err)
				}
			}
		})
	}
}

// TestStaplingKeepsTheChoice has two certificates, of which one names a responder.
func TestStaplingKeepsTheChoice(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	leaf := named(t, root, "http://127.0.0.1:1/")
	other := issue(t, "rsa", rsaKey(t), root)
	s := service(file(t, certPEM(leaf)+certPEM(root)+pkcs8(leaf.key)), "")
	s.Cert = append(s.Cert, file(t, certPEM(other)+certPEM(root)+pkcs8(other.key)))
	s.Key = s.Cert
	server, err := Build(s, Options{})
	if err != nil || len(server.Staplers) != 1 || server.Leaf.Subject.CommonName != "named" {
		t.Fatalf("%v, %+v", err, server)
	}
	for suite, want := range map[uint16]string{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "rsa", tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "named"} {
		client := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
		_, cs, err := handshake(t, server.Config, client)
		if err != nil || cs.PeerCertificates[0].Subject.CommonName != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestWithoutStapling has certificates about which nobody can be asked: Config stays as
// crypto/tls likes it best.
func TestWithoutStapling(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	twin := issue(t, "root", ecKey(t, elliptic.P256()), nil) // the issuer's name, another key
	leaf := named(t, root, "http://127.0.0.1:1/")
	plain := named(t, root)
	for name, text := range map[string]string{
		"no issuer":      certPEM(leaf) + pkcs8(leaf.key),
		"another issuer": certPEM(leaf) + certPEM(twin) + pkcs8(leaf.key),
		"no responder":   certPEM(plain) + certPEM(root) + pkcs8(plain.key),
	} {
		c, err := Build(service(file(t, text), ""), Options{})
		if err != nil || len(c.Staplers) != 0 || len(c.Config.Certificates) != 1 || c.Config.GetCertificate != nil {
			t.Errorf("%s: %v, %d staplers", name, err, len(c.Staplers))
		}
	}
}

// TestRevocationIsAsked has options and whether the Verifier asks.
func TestRevocationIsAsked(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	cert := certPEM(root) + pkcs8(root.key)
	for _, c := range []struct {
		name string
		edit func(s *config.Service)
		want bool
	}{
		{"a client looks at staples", func(s *config.Service) { s.Client, s.VerifyChain = true, true }, true},
		{"a client that checks nothing", func(s *config.Service) { s.Client = true }, false},
		{"a server gets no staples", func(s *config.Service) { s.VerifyChain = true }, false},
		{"a server with a responder", func(s *config.Service) { s.VerifyChain = true; s.OCSP.URL = "http://127.0.0.1/" }, true},
		{"a server with AIA", func(s *config.Service) { s.VerifyChain = true; s.OCSP.AIA = true }, true},
		{"a server with a responder for itself", func(s *config.Service) { s.OCSP.URL = "http://127.0.0.1/" }, false},
	} {
		s := service(file(t, cert), "")
		s.CAfile = file(t, certPEM(root))
		c.edit(s)
		ctx, err := Build(s, Options{})
		if err != nil || (ctx.Verifier.Revocation != nil) != c.want {
			t.Errorf("%s: %v, %v", c.name, err, ctx.Verifier.Revocation)
		}
	}
}
