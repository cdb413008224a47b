package tlsconf

import (
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

func TestVersions(t *testing.T) {
	for v, name := range map[config.Version]string{config.TLS10: "TLSv1", config.TLS11: "TLSv1.1", config.TLS12: "TLSv1.2", config.TLS13: "TLSv1.3"} {
		s := service("", "")
		s.MinVersion, s.MaxVersion = v, v
		c, err := Build(s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Config.MinVersion != uint16(v) || c.Config.MaxVersion != uint16(v) || VersionName(uint16(v)) != name {
			t.Errorf("%s: %x to %x", name, c.Config.MinVersion, c.Config.MaxVersion)
		}
	}
	if VersionName(0x0300) != "unknown" {
		t.Error("SSL 3.0 has a name")
	}
}

func TestServerName(t *testing.T) {
	target := func(a ...config.Address) *config.Service { return &config.Service{Client: true, Connect: a} }
	host := config.Address{Host: "mx.example", Port: "25"}
	for _, c := range []struct {
		name string
		s    *config.Service
		edit func(*config.Service)
		want string
	}{
		{"the target", target(host), nil, "mx.example"},
		{"the first target", target(host, config.Address{Host: "b.example", Port: "1"}), nil, "mx.example"},
		{"a port alone", target(config.Address{Port: "25"}), nil, "localhost"},
		{"a path", target(config.Address{Unix: "/run/x"}), nil, ""},
		{"a path, then a host", target(config.Address{Unix: "/run/x"}, host), nil, "mx.example"},
		{"an address", target(config.Address{Host: "127.0.0.1", Port: "25"}), nil, "127.0.0.1"},
		{"sni", target(host), func(s *config.Service) { s.SNI, s.SNISet = "s.example", true }, "s.example"},
		{"sni without a name", target(host), func(s *config.Service) { s.SNISet = true }, ""},
		{"protocolHost", target(host), func(s *config.Service) { s.ProtocolValues = map[string]string{"protocolhost": "p.example:443"} }, "p.example"},
		{"protocolHost without a port", target(host), func(s *config.Service) { s.ProtocolValues = map[string]string{"protocolhost": "p.example"} }, "p.example"},
		{"sni before protocolHost", target(host), func(s *config.Service) {
			s.SNI, s.SNISet, s.ProtocolValues = "s.example", true, map[string]string{"protocolhost": "p.example:443"}
		}, "s.example"},
	} {
		if c.edit != nil {
			c.edit(c.s)
		}
		ctx, err := Build(c.s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if ctx.SNI != c.want || strings.TrimSuffix(ctx.Config.ServerName, ".") != c.want {
			t.Errorf("%s: %q and %q, want %q", c.name, ctx.SNI, ctx.Config.ServerName, c.want)
		}
	}
}

// TestAddressesAsServerNames has a client service send an address as stunnel does.
func TestAddressesAsServerNames(t *testing.T) {
	for _, name := range []string{"127.0.0.1", "::1", "mx.example"} {
		server, client := contexts(t, func(_, c *config.Service, _ string) { c.SNI, c.SNISet = name, true })
		got, _, err := handshake(t, server.Config, client.Config)
		if err != nil || got.ServerName != name {
			t.Errorf("the server got %q, %v; want %q", got.ServerName, err, name)
		}
	}
}

// handshake joins two contexts and gives what each side sees.
func handshake(t *testing.T, server, client *tls.Config) (s, c tls.ConnectionState, err error) {
	t.Helper()
	a, b := testpeer.Pair(t)
	tc, ts := tls.Client(a, client), tls.Server(b, server)
	ended := make(chan error, 1)
	go func() {
		err := tc.Handshake()
		if err != nil {
			a.Close()
		}
		ended <- err
	}()
	err = ts.Handshake()
	if err != nil {
		b.Close()
	}
	err = errors.Join(err, <-ended)
	return ts.ConnectionState(), tc.ConnectionState(), err
}

// contexts builds a server's and a client's, with certificates that one root issued.
func contexts(t *testing.T, edit func(server, client *config.Service, root string)) (server, client *Context) {
	t.Helper()
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	leaf := issue(t, "localhost", ecKey(t, elliptic.P256()), root)
	own := issue(t, "client", ecKey(t, elliptic.P256()), nil)
	s := service(file(t, certPEM(leaf)+pkcs8(leaf.key)), "")
	c := service(file(t, certPEM(own)+pkcs8(own.key)), "")
	c.Client = true
	c.Connect = []config.Address{{Host: "localhost", Port: "1"}}
	edit(s, c, file(t, certPEM(root)))
	var err error
	if server, err = Build(s, Options{}); err != nil {
		t.Fatal(err)
	}
	if client, err = Build(c, Options{}); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// OpenSSL offers the certificate that it has, whatever CAs the server names;
// crypto/tls alone would offer none here.
func TestClientCertificateIsOfferedWhateverTheHints(t *testing.T) {
	for _, v := range []config.Version{config.TLS12, config.TLS13} {
		server, client := contexts(t, func(s, c *config.Service, root string) {
			s.RequestCert, s.CAfile, s.MaxVersion = true, root, v
		})
		//lint:ignore SA1019 the pool is not the system's
		if len(server.Config.ClientCAs.Subjects()) != 1 {
			t.Error("the server names no CA")
		}
		got, _, err := handshake(t, server.Config, client.Config)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.PeerCertificates) != 1 || got.PeerCertificates[0].Subject.CommonName != "client" {
			t.Errorf("the server got %d certificates", len(got.PeerCertificates))
		}
	}
}

func TestWhatServersAsk(t *testing.T) {
	for _, c := range []struct {
		name             string
		request, require bool
		withCert, ok     bool
		got              int
	}{
		{"nothing", false, false, true, true, 0},
		{"request", true, false, true, true, 1},
		{"request, none", true, false, false, true, 0},
		{"require", true, true, true, true, 1},
		{"require, none", true, true, false, false, 0},
	} {
		server, client := contexts(t, func(s, cl *config.Service, root string) {
			s.RequestCert, s.RequireCert, s.MaxVersion = c.request, c.require, config.TLS12
			if !c.withCert {
				cl.Cert, cl.Key = nil, nil
			}
		})
		state, _, err := handshake(t, server.Config, client.Config)
		if (err == nil) != c.ok || len(state.PeerCertificates) != c.got {
			t.Errorf("%s: %d certificates, %v", c.name, len(state.PeerCertificates), err)
		}
	}
}

func TestClientVerifies(t *testing.T) {
	var other string
	for _, trusted := range []bool{true, false} {
		server, client := contexts(t, func(_, c *config.Service, root string) {
			c.VerifyChain, c.RequireCert, c.CAfile = true, true, root
			if !trusted {
				c.CAfile = other
			}
		})
		other = file(t, certPEM(issue(t, "other", ecKey(t, elliptic.P256()), nil)))
		judge := func(cs tls.ConnectionState) error { return client.Verifier.Check(t.Context(), cs, nil) }
		if _, _, err := handshake(t, server.Config, client.For(nil, judge)); (err == nil) != trusted {
			t.Errorf("trusted %v: %v", trusted, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	mitm := "Service [test] needs authentication to prevent MITM attacks"
	_, client := contexts(t, func(*config.Service, *config.Service, string) {})
	if !slices.Contains(client.Warnings, mitm) {
		t.Errorf("warnings: %q", client.Warnings)
	}
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	middle := issue(t, "middle", ecKey(t, elliptic.P256()), root)
	_, client = contexts(t, func(_, c *config.Service, _ string) {
		c.VerifyChain, c.CAfile = true, file(t, certPEM(middle)+block("CERTIFICATE", []byte("x")))
	})
	text := strings.Join(client.Warnings, "\n")
	for _, part := range []string{"a certificate is skipped", "holds no self-signed certificate"} {
		if !strings.Contains(text, part) {
			t.Errorf("warnings %q lack %q", text, part)
		}
	}
	if slices.Contains(client.Warnings, mitm) {
		t.Error("a client that verifies is warned")
	}
}

func TestBadCAfiles(t *testing.T) {
	for path, want := range map[string]string{
		"/nowhere/ca.pem":                          "/nowhere/ca.pem: no such file or directory",
		file(t, dhParameters):                      "no certificate in ",
		file(t, block("CERTIFICATE", []byte("x"))): "no certificate in ",
	} {
		s := service("", "")
		s.CAfile = path
		_, err := Build(s, Options{})
		fails(t, err, want)
	}
}

// TestResumption has each side's options end resumption, or not: without tickets a server
// names sessions that it keeps, and a client has nothing to offer in TLS 1.2.
func TestResumption(t *testing.T) {
	for _, c := range []struct {
		what string
		edit func(server, client *config.Service)
		want bool
	}{
		{"nothing said", func(s, c *config.Service) {}, true},
		{"server's sessionResume = no", func(s, c *config.Service) { s.Session.Resume = false }, false},
		{"client's sessionResume = no", func(s, c *config.Service) { c.Session.Resume = false }, false},
		{"server's NO_TICKET", func(s, c *config.Service) { s.NoTicket = true }, true},
		{"client's NO_TICKET", func(s, c *config.Service) { c.NoTicket = true }, false},
		{"server's sessionCacheTimeout = 0", func(s, c *config.Service) { s.Session.Timeout = 0 }, false},
		{"client's sessionCacheTimeout = 0", func(s, c *config.Service) { c.Session.Timeout = 0 }, false},
	} {
		server, client := contexts(t, func(s, cl *config.Service, _ string) {
			s.MaxVersion = config.TLS12
			c.edit(s, cl)
		})
		for i, want := range []bool{false, c.want, c.want, c.want} {
			_, got, err := handshake(t, server.Config, client.Config)
			if err != nil {
				t.Fatal(err)
			}
			if got.DidResume != want {
				t.Errorf("%s: connection %d resumed: %v", c.what, i, got.DidResume)
			}
		}
	}
}

// A Context never falls back to the system's trust.
func TestNoSystemRoots(t *testing.T) {
	s := service("", "")
	s.Client, s.VerifyChain = true, true
	c, err := Build(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), nil)
	if err := c.Verifier.Check(t.Context(), tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf.cert}}, nil); err == nil {
		t.Error("a certificate was accepted without a CAfile")
	}
}

// TestResumedTLS12GetsNoTicket has crypto/tls as the client, which keeps the empty
// ticket, and so shakes hands in full the next time: slower, and no failure.
func TestResumedTLS12GetsNoTicket(t *testing.T) {
	leaf := issue(t, "localhost", ecKey(t, elliptic.P256()), nil)
	pem := file(t, certPEM(leaf)+pkcs8(leaf.key))
	c, err := Build(service(pem, pem), Options{})
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{
		InsecureSkipVerify: true,
		ServerName:         "localhost",
		MaxVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	for i, want := range []bool{false, true, false, true} {
		a, b := net.Pipe()
		ended := make(chan error, 1)
		go func() {
			defer a.Close()
			ended <- tls.Server(a, c.Config).Handshake()
		}()
		conn := tls.Client(b, client)
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().DidResume; got != want {
			t.Errorf("connection %d: resumed is %v, want %v", i, got, want)
		}
		b.Close()
	}
}
