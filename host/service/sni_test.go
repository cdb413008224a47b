package service

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// says is a backend that says a word and hangs up.
func says(word string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, word) }
}

func TestSecondaryServices(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply(`
debug = debug
[main]
accept = 127.0.0.1:0
connect = ` + testpeer.Serve(t, says("main")) + `
cert = {server}
[exact]
sni = main:one.example.org
connect = ` + testpeer.Serve(t, says("exact")) + `
cert = {server}
[suffix]
sni = main:*.EXAMPLE.org
connect = ` + testpeer.Serve(t, says("suffix")) + `
cert = {stranger}
[guarded]
sni = main:guarded.test
connect = ` + testpeer.Serve(t, says("guarded")) + `
cert = {server}
CAfile = {root}
verifyChain = yes
requireCert = yes
`)
	for name, word := range map[string]string{
		"one.example.org": "exact", "ONE.example.ORG": "exact", "two.example.org": "suffix", "a.b.example.org": "suffix",
		"example.org": "main", "one.example.org.uk": "main", "": "main",
	} {
		c := callTLS(t, b.addr("main"), &tls.Config{ServerName: name})
		want(t, c, word)
		issuer := c.ConnectionState().PeerCertificates[0].Issuer.CommonName
		main := callTLS(t, b.addr("main"), &tls.Config{})
		want(t, main, "main")
		if own := issuer != main.ConnectionState().PeerCertificates[0].Issuer.CommonName; own != (word == "suffix") {
			t.Errorf("%s: certificate issued by %q", name, issuer)
		}
	}
	b.waitLog(`SNI: matched pattern: \*\.EXAMPLE\.org`, 1)
	b.waitLog(`SNI: no pattern matched servername: example\.org\n`, 1)
	b.waitLog(`Service \[suffix\] connected remote server from`, 1)
}

// A session that the primary gave, without asking for a certificate, opens no service
// that does ask, under either version of TLS.
func TestSecondarysSessions(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		b := newBench(t, logging.Debug)
		b.apply(`
debug = debug
[main]
accept = 127.0.0.1:0
connect = ` + testpeer.Serve(t, testpeer.Echo) + `
cert = {server}
[guarded]
sni = main:guarded.test
connect = ` + testpeer.Serve(t, says("guarded")) + `
cert = {server}
CAfile = {root}
verifyChain = yes
requireCert = yes
`)
		sessions := &oneSession{}
		conf := &tls.Config{MaxVersion: version, ServerName: "other.test", ClientSessionCache: sessions}
		resumed := func(c *tls.Conn) bool {
			io.WriteString(c, "hello")
			want(t, c, "hello")
			return c.ConnectionState().DidResume
		}
		c := callTLS(t, b.addr("main"), conf)
		if resumed(c) {
			t.Error("the first session is resumed")
		}
		c.Close()
		c = callTLS(t, b.addr("main"), conf)
		if !resumed(c) {
			t.Error("the primary does not resume its own session")
		}
		c.Close()
		guarded := conf.Clone()
		guarded.ServerName = "guarded.test"
		c = callTLS(t, b.addr("main"), guarded)
		if word, err := io.ReadAll(c); err == nil || len(word) > 0 {
			t.Errorf("version %#x: without a certificate the guarded service says %q, %v", version, word, err)
		}
		b.waitLog(`peer did not return a certificate`, 1)
	}
}

// oneSession offers the last session to whomever it is asked for.
type oneSession struct{ last *tls.ClientSessionState }

func (s *oneSession) Get(string) (*tls.ClientSessionState, bool) { return s.last, s.last != nil }

func (s *oneSession) Put(_ string, cs *tls.ClientSessionState) { s.last = cs }

// TestSecondaryAfterTheDial has a guest connect before the handshake that tells the
// client's name. The primary asks for a certificate and the secondary for none: a client
// without one that names the secondary must not get to the primary's target.
func TestSecondaryAfterTheDial(t *testing.T) {
	for what, starts := range map[string]bool{"the guest starts TLS": true, "the host does": false} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			conf, err := config.LoadReader("test.conf", strings.NewReader(strings.NewReplacer("{server}", b.certs.Server, "{root}", b.certs.Root).Replace(`
[main]
protocol = smtp
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("guarded"))+`
cert = {server}
CAfile = {root}
verifyChain = yes
requireCert = yes
[open]
sni = main:open.test
connect = `+testpeer.Serve(t, says("open"))+`
cert = {server}
`)))
			if err != nil {
				t.Fatal(err)
			}
			set, err := Build(context.Background(), conf, Options{Log: b.log, Native: func(string) Negotiator {
				return native(func(ctx context.Context, h guest.Host) (*guest.Outcome, error) {
					if _, err := h.Connect(ctx); err != nil {
						return nil, err
					}
					if starts {
						if _, err := h.StartTLS(ctx, abi.Accepted, nil, nil); err != nil {
							return nil, err
						}
					}
					return &guest.Outcome{}, nil
				})
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.srv.Apply(context.Background(), set); err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(callTLS(t, b.addr("main"), &tls.Config{ServerName: "open.test"}))
			if len(text) > 0 || err == nil {
				t.Errorf("the client read %q, %v", text, err)
			}
			b.waitLog(`SSL_accept: .*connected before the client's name chose \[open\]`, 1)
		})
	}
}
