package main

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// sServer runs openssl s_server, which answers HTTP with a page about the
// session, and gives its address.
func sServer(t *testing.T, args ...string) string {
	t.Helper()
	openssl := testpeer.Need(t, "openssl", "openssl")
	p := testpeer.Run(t, openssl, append([]string{"s_server", "-accept", "127.0.0.1:0", "-www"}, args...)...)
	return p.WaitLine(`^ACCEPT (127\.0\.0\.1:\d+)$`)
}

// page fetches s_server's page through a client service of the daemon. An error
// is what the daemon's reset looks like; a fast one comes before Dial returns.
func page(t *testing.T, d *testpeer.Daemon, service string) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", d.Addr(service))
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	text, err := io.ReadAll(c)
	return string(text), err
}

func TestOpensslServerResumes(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			d := start(t, `
[c]
client = yes
accept = 127.0.0.1:0
connect = `+sServer(t, "-cert", certs.Server, "-cert_chain", certs.Chain, v.openssl)+`
`)
			for i, want := range []string{"New, ", "Reused, ", "Reused, "} {
				text, err := page(t, d, "c")
				if err != nil || !strings.Contains(text, want+v.log) {
					t.Errorf("connection %d: %v, and openssl does not say %q:\n%s", i, err, want+v.log, text)
				}
			}
			d.WaitLine(`LOG6\[0\]: TLS connected: new session negotiated$`)
			d.WaitLine(`LOG6\[1\]: TLS connected: previous session reused$`)
			d.WaitLine(`LOG6\[2\]: TLS connected: previous session reused$`)
		})
	}
}

func TestOpensslServerVerified(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
connect = `+sServer(t, "-cert", certs.Server, "-cert_chain", certs.Chain)+`
verifyChain = yes
[good]
CAfile = `+certs.Root+`
checkHost = other.example
checkHost = localhost
[name]
CAfile = `+certs.Root+`
checkHost = other.example
[chain]
CAfile = `+certs.Other+`
`)
	if text, err := page(t, d, "good"); err != nil || !strings.Contains(text, "HTTP/1.0 200 ok") {
		t.Errorf("good: %v %q", err, text)
	}
	d.WaitLine(`LOG5\[0\]: Certificate accepted at depth=0: O=Test, CN=localhost$`)
	if text, err := page(t, d, "name"); err == nil {
		t.Errorf("another name is accepted: %q", text)
	}
	d.WaitLine(`LOG4\[1\]: CERT: Subject checks failed$`)
	d.WaitLine(`LOG4\[1\]: Rejected by CERT at depth=0: O=Test, CN=localhost$`)
	d.WaitLine(`LOG3\[1\]: SSL_connect: .*certificate verify failed$`)
	d.WaitLine(`LOG5\[1\]: Connection closed/reset: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket$`)
	if text, err := page(t, d, "chain"); err == nil {
		t.Errorf("another authority is accepted: %q", text)
	}
	d.WaitLine(`LOG4\[2\]: CERT: Pre-verification error: unable to get local issuer certificate$`)
	d.WaitLine(`LOG4\[2\]: Rejected by CERT at depth=1: O=Test, CN=Test Intermediate$`)
	d.WaitLine(`LOG3\[2\]: SSL_connect: .*certificate verify failed$`)
}

func TestOpensslServerAsksCertificate(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
connect = `+sServer(t, "-cert", certs.Server, "-cert_chain", certs.Chain, "-Verify", "3", "-verify_return_error", "-CAfile", certs.Root)+`
[with]
cert = `+certs.Client+`
[stranger]
cert = `+certs.Stranger+`
[without]
`)
	if text, err := page(t, d, "with"); err != nil || !strings.Contains(text, "Subject: O=Test, CN=client") {
		t.Errorf("openssl does not see the certificate: %v\n%s", err, text)
	}
	for i, service := range []string{"stranger", "without"} {
		if text, err := page(t, d, service); err == nil {
			t.Errorf("%s: openssl takes the connection: %q", service, text)
		}
		d.WaitLine(`LOG3\[` + string(rune('1'+i)) + `\]: .*alert (unknown ca|certificate required)`)
	}
}

// TestOpensslServerName looks at the SNI that a client service sends.
func TestOpensslServerName(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr := sServer(t, "-cert", certs.Server, "-servername", "named.example", "-cert2", certs.Stranger, "-key2", certs.Stranger)
	d := start(t, `
client = yes
verifyChain = yes
CAfile = `+certs.Other+`
accept = 127.0.0.1:0
connect = `+addr+`
[named]
sni = named.example
[unnamed]
sni =
`)
	if text, err := page(t, d, "named"); err != nil || text == "" {
		t.Errorf("with the name: %v", err)
	}
	d.WaitLine(`LOG5\[0\]: Certificate accepted at depth=0: O=Test, CN=stranger$`)
	if text, err := page(t, d, "unnamed"); err == nil {
		t.Errorf("without a name the other certificate is served, and accepted: %q", text)
	}
	d.WaitLine(`LOG4\[1\]: Rejected by CERT at depth=0: O=Test, CN=localhost$`)
	d.WaitLine(`SNI: sending servername: named\.example$`)
}
