package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestOpensslServerRenegotiates has s_server renegotiate in a running connection, with
// and without asking for a certificate that it did not want before.
func TestOpensslServerRenegotiates(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	openssl := testpeer.Need(t, "openssl", "openssl")
	for _, c := range []struct{ name, options string }{
		{"allowed", ""}, {"verified", "verifyChain = yes\nCAfile = " + certs.Root + "\ncheckHost = localhost\n"},
		{"refused", "renegotiation = no\n"}, {"refused by option", "options = NO_RENEGOTIATION\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := testpeer.Run(t, openssl, "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-state", "-cert", certs.Server, "-cert_chain", certs.Chain, "-CAfile", certs.Root)
			d := start(t, c.options+`
[c]
client = yes
cert = `+certs.Client+`
accept = 127.0.0.1:0
connect = `+s.WaitLine(`^ACCEPT (127\.0\.0\.1:\d+)$`)+`
`)
			conn, err := net.Dial("tcp", d.Addr("c"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			both := func(text string) {
				t.Helper()
				io.WriteString(conn, "to "+text+"\n")
				s.WaitLine("to " + text + "$") // openssl may print something before it on the line
				io.WriteString(s.Stdin, "from "+text+"\n")
				if got, err := in.ReadString('\n'); err != nil || got != "from "+text+"\n" {
					t.Fatalf("got %q, %v", got, err)
				}
			}
			both("start")
			if strings.HasPrefix(c.name, "refused") {
				io.WriteString(s.Stdin, "r\n")
				if n, err := io.Copy(io.Discard, in); n > 0 {
					t.Errorf("%d more bytes, %v", n, err)
				}
				d.WaitLine(`LOG3\[0\]: transfer: TLS: local error: tls: no renegotiation$`)
				d.WaitLine(`LOG5\[0\]: Connection closed/reset: 9 byte\(s\) sent to TLS, 11 byte\(s\) sent to socket$`)
				return
			}
			for i, command := range []string{"r", "R", "r"} {
				io.WriteString(s.Stdin, command+"\n")
				s.WaitLines("^SSL_accept:SSLv3/TLS write finished$", i+2)
				both("after " + command)
			}
			s.WaitLine(`^SSL_accept:SSLv3/TLS read certificate verify$`) // of R: our own certificate
		})
	}
}

// TestOpensslClientRenegotiates has s_client ask for what a server here never does.
func TestOpensslClientRenegotiates(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
[s]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+certs.Server+`
renegotiation = yes
`)
	d.WaitLine(`LOG4\[ui\]: Service \[s\] cuts off clients that want to renegotiate, in spite of renegotiation = yes$`)
	c := sClient(t, d, "s", "-tls1_2")
	say(t, c, "hello")
	io.WriteString(c.Stdin, "R\n")
	d.WaitLine(`LOG5\[0\]: Connection reset/closed: 6 byte\(s\) sent to TLS, 6 byte\(s\) sent to socket$`)
	c.Wait()
}
