package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestMailByName has the name that curl asks for in its handshake, behind STARTTLS,
// choose the mail server.
func TestMailByName(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	main, one := testpeer.Sink(t), testpeer.Sink(t)
	d := start(t, `
cert = `+certs.Server+`
[smtp]
accept = 127.0.0.1:0
connect = `+main.Addr+`
protocol = smtp
[one]
sni = smtp:*.one.test
connect = `+one.Addr+`
`)
	_, port, _ := net.SplitHostPort(d.Addr("smtp"))
	for _, host := range []string{"mx.one.test", "mx.two.test"} {
		// The certificate is localhost's, and no question here.
		c := testpeer.Run(t, curl, "-sSvk", "--ssl-reqd", "--resolve", host+":"+port+":127.0.0.1", "smtp://"+host+":"+port,
			"--mail-from", "a@example.test", "--mail-rcpt", "b@example.test", "-T", file)
		if status := c.Wait(); status != 0 {
			t.Fatalf("%s: curl's exit status is %d", host, status)
		}
	}
	delivered(t, one)
	delivered(t, main)
	d.WaitLine(`LOG5\[0\]: Service \[one\] connected remote server from `)
	d.WaitLine(`LOG5\[1\]: Service \[smtp\] connected remote server from `)
}

// TestMailboxesByName does the same with IMAP and POP3, as openssl speaks them.
func TestMailboxesByName(t *testing.T) {
	t.Parallel()
	openssl := testpeer.Need(t, "openssl", "openssl")
	certs := testpeer.Certs(t)
	for _, protocol := range []struct{ name, greeting, ask string }{
		{"imap", "* OK server %s ready\r\n", "a NOOP"},
		{"pop3", "+OK server %s ready\r\n", "NOOP"},
	} {
		t.Run(protocol.name, func(t *testing.T) {
			t.Parallel()
			// Each server greets, and answers a line by its name.
			server := func(name string) string {
				return testpeer.Serve(t, func(c net.Conn) {
					fmt.Fprintf(c, protocol.greeting, name)
					if _, err := c.Read(make([]byte, 64)); err == nil {
						fmt.Fprintf(c, "this is %s\r\n", name)
					}
				})
			}
			d := start(t, `
cert = `+certs.Server+`
[mail]
accept = 127.0.0.1:0
connect = `+server("main")+`
protocol = `+protocol.name+`
[one]
sni = mail:one.test
connect = `+server("one")+`
`)
			for host, want := range map[string]string{"one.test": "one", "two.test": "main"} {
				c := testpeer.Run(t, openssl, "s_client", "-starttls", protocol.name, "-servername", host, "-connect", d.Addr("mail"), "-quiet", "-crlf")
				if _, err := io.WriteString(c.Stdin, protocol.ask+"\n"); err != nil {
					t.Fatal(err)
				}
				c.WaitLine("this is " + want + "$") // openssl puts bytes of its own before it
				c.Wait()
				if text := c.Output(); strings.Contains(text, "server "+want) {
					t.Errorf("%s: the server's greeting came through: %q", host, text)
				}
			}
		})
	}
}
