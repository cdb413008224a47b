package service

import (
	"context"
	"crypto/tls"
	"io"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// pair loads a certificate and its key from one file.
func pair(t *testing.T, path string) tls.Certificate {
	t.Helper()
	c, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRedirect has clients with a certificate, with a stranger's and with none, each twice,
// so that the second may resume: who failed is led elsewhere, also then.
func TestRedirect(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		b := newBench(t, logging.Debug)
		b.apply(`
debug = debug
[main]
accept = 127.0.0.1:0
connect = ` + testpeer.Serve(t, says("target")) + `
redirect = ` + testpeer.Serve(t, says("decoyed")) + `
cert = {server}
CAfile = {root}
verifyChain = yes
`)
		sessions := tls.NewLRUClientSessionCache(8)
		for who, c := range map[string]struct {
			certs []tls.Certificate
			want  string
		}{
			"good":     {[]tls.Certificate{pair(t, b.certs.Client)}, "target"},
			"stranger": {[]tls.Certificate{pair(t, b.certs.Stranger)}, "decoyed"},
			"none":     {nil, "decoyed"},
		} {
			conf := &tls.Config{MaxVersion: version, ServerName: who, ClientSessionCache: sessions}
			if len(c.certs) > 0 {
				// Whatever authorities the server names.
				conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.certs[0], nil }
			}
			for i := range 2 {
				conn := callTLS(t, b.addr("main"), conf)
				if got, err := io.ReadAll(conn); string(got) != c.want || err != nil {
					t.Errorf("%x %s: read %q, %v; want %q", version, who, got, err, c.want)
				}
				if i == 1 && !conn.ConnectionState().DidResume {
					t.Errorf("%x %s: nothing was resumed", version, who)
				}
				conn.Close()
			}
		}
		b.waitLog(`Redirecting connection\n`, 4)
		b.waitLog(`Rejected by CERT at depth=\d: .*\n`, 2)
		if strings.Contains(b.text(), "SSL_accept: certificate verify failed") {
			t.Error("a redirected connection is told as one that failed")
		}
	}
}

// TestRedirectEndsTheGuest has a protocol whose guest would send a line to the target: the
// redirected client's is not for it.
func TestRedirectEndsTheGuest(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply(`
debug = debug
[main]
protocol = proxy
accept = 127.0.0.1:0
connect = ` + testpeer.Serve(t, testpeer.Echo) + `
redirect = ` + testpeer.Serve(t, testpeer.Echo) + `
cert = {server}
CAfile = {root}
verifyChain = yes
`)
	c := callTLS(t, b.addr("main"), &tls.Config{})
	io.WriteString(c, "first words\n")
	want(t, c, "first words\n")
	c.Close()
	good := callTLS(t, b.addr("main"), &tls.Config{Certificates: []tls.Certificate{pair(t, b.certs.Client)}})
	want(t, good, "PROXY TCP4 127.0.0.1 127.0.0.1 ")
	good.Close()
	b.waitLog(`Redirecting connection\n`, 1)
}

// TestRedirectAfterTheDial has a guest that dials before the handshake. It has spoken with
// the target on behalf of a client that turns out to be nobody: the connection ends.
func TestRedirectAfterTheDial(t *testing.T) {
	b := newBench(t, logging.Debug)
	text := strings.NewReplacer("{server}", b.certs.Server, "{root}", b.certs.Root).Replace(`
[main]
protocol = socks
accept = 127.0.0.1:0
connect = ` + testpeer.Serve(t, says("target")) + `
redirect = ` + testpeer.Serve(t, says("decoy")) + `
cert = {server}
CAfile = {root}
verifyChain = yes
guestDial = 127.0.0.1:*
`)
	conf, err := config.LoadReader("test.conf", strings.NewReader(strings.Replace(text, "connect", "# connect", 1)))
	if err != nil {
		t.Fatal(err)
	}
	target := testpeer.Serve(t, says("target"))
	set, err := Build(context.Background(), conf, Options{Log: b.log, Native: func(string) Negotiator {
		return native(func(ctx context.Context, h guest.Host) (*guest.Outcome, error) {
			if err := h.SetTarget(target); err != nil {
				return nil, err
			}
			if _, err := h.Connect(ctx); err != nil {
				return nil, err
			}
			_, err := h.StartTLS(ctx, abi.Accepted, nil, nil)
			return &guest.Outcome{}, err
		})
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.srv.Apply(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(callTLS(t, b.addr("main"), nil)); len(got) > 0 || err == nil {
		t.Errorf("the client read %q, %v", got, err)
	}
	b.waitLog(`peer did not return a certificate, and socks has connected already`, 1)
}

// TestSecondarysProtocol has services that differ in what is said inside TLS.
func TestSecondarysProtocol(t *testing.T) {
	b := newBench(t, logging.Debug)
	echo := testpeer.Serve(t, testpeer.Echo)
	b.apply(`
debug = debug
[plain]
accept = 127.0.0.1:0
connect = ` + echo + `
cert = {server}
[told]
sni = plain:told.test
protocol = proxy
connect = ` + echo + `
cert = {server}
[tells]
accept = 127.0.0.1:0
protocol = proxy
connect = ` + echo + `
cert = {server}
[silent]
sni = tells:silent.test
connect = ` + echo + `
cert = {server}
[second]
sni = tells:second.test
protocol = proxy
guestOption = version=2
connect = ` + echo + `
cert = {server}
`)
	for _, c := range []struct{ service, name, want string }{
		{"plain", "other.test", "hello"},
		{"plain", "told.test", "PROXY TCP4 127.0.0.1"},
		{"tells", "other.test", "PROXY TCP4 127.0.0.1"},
		{"tells", "silent.test", "hello"},
		{"tells", "second.test", "\r\n\r\n\x00\r\nQUIT\n\x21\x11"},
	} {
		t.Run(c.service+" "+c.name, func(t *testing.T) {
			conn := callTLS(t, b.addr(c.service), &tls.Config{ServerName: c.name})
			io.WriteString(conn, "hello")
			want(t, conn, c.want)
		})
	}
}

// TestSecondarySpeaksNoClear has the guest of a secondary speak before it asks for TLS,
// which is there already: its words reach nobody.
func TestSecondarySpeaksNoClear(t *testing.T) {
	b := newBench(t, logging.Debug)
	conf, err := config.LoadReader("test.conf", strings.NewReader(strings.ReplaceAll(`
[main]
accept = 127.0.0.1:0
connect = 127.0.0.1:1
cert = {server}
[own]
sni = main:own.test
protocol = greeter
connect = `+testpeer.Serve(t, says("target"))+`
cert = {server}
`, "{server}", b.certs.Server)))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Build(context.Background(), conf, Options{Log: b.log, Native: func(string) Negotiator {
		return native(func(ctx context.Context, h guest.Host) (*guest.Outcome, error) {
			if _, err := io.WriteString(h.Accepted(), "220 hello\r\n"); err != nil {
				return nil, err
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
	if got, err := io.ReadAll(callTLS(t, b.addr("main"), &tls.Config{ServerName: "own.test"})); len(got) > 0 || err == nil {
		t.Errorf("the client read %q, %v", got, err)
	}
	b.waitLog(`the client speaks TLS already when its name chooses this service`, 1)
}

// TestConversationsThatCannotBe are refused when the configuration is loaded.
func TestConversationsThatCannotBe(t *testing.T) {
	b := newBench(t, logging.Debug)
	for protocols, want := range map[[2]string]string{
		{"protocol = imap", "protocol = pop3"}:  `[main] has spoken imap when the client's name chooses this service`,
		{"", "protocol = imap"}:                 `imap begins before the TLS that tells the client's name`,
		{"protocol = proxy", "protocol = smtp"}: `smtp begins before the TLS that tells the client's name`,
		{"protocol = imap", "protocol = IMAP"}:  "",
		{"protocol = imap", ""}:                 "",
		{"", "protocol = socks"}:                "",
	} {
		conf, err := config.LoadReader("test.conf", strings.NewReader(strings.NewReplacer("{server}", b.certs.Server).Replace(`
[main]
accept = 127.0.0.1:0
connect = 127.0.0.1:1
cert = {server}
`+protocols[0]+`
[second]
sni = main:x
cert = {server}
`+protocols[1]+map[bool]string{true: "", false: "\nconnect = 127.0.0.1:1"}[protocols[1] == "protocol = socks"])))
		if err != nil {
			t.Fatal(protocols, err)
		}
		set, err := Build(context.Background(), conf, Options{Log: b.log})
		if err == nil {
			set.Close(context.Background())
		}
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", protocols, err, want)
		}
	}
}
