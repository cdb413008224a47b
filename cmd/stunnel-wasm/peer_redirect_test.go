package main

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// says is a backend that says a word and hangs up.
func says(word string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, word+"\n") }
}

// heardFrom gives what a server says to openssl's client.
func heardFrom(t *testing.T, addr string, more ...string) string {
	t.Helper()
	cmd := exec.Command(testpeer.Need(t, "openssl", "openssl"), append([]string{"s_client", "-quiet", "-ign_eof", "-connect", addr}, more...)...)
	out, _ := testpeer.Output(t, cmd) // its status tells of certificates that nobody asked it to check
	return strings.TrimSpace(string(out))
}

// bothServers runs a test with our server and with the real one, which must agree.
func bothServers(t *testing.T, test func(t *testing.T, server string)) {
	t.Run("ours", func(t *testing.T) { t.Parallel(); test(t, self(t)) })
	t.Run("stunnel", func(t *testing.T) { t.Parallel(); test(t, testpeer.Need(t, "stunnel4", "stunnel4")) })
}

func TestRedirectOfBoth(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, level := range []string{"verify = 1", "verify = 2", "verifyChain = yes"} {
		bothServers(t, func(t *testing.T, server string) {
			d := testpeer.Start(t, server, `
[server]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("target"))+`
redirect = `+testpeer.Serve(t, says("decoy"))+`
cert = `+certs.Server+`
CAfile = `+certs.Root+`
`+level+"\n")
			for _, c := range []struct {
				cert string
				want string
			}{{"", "decoy"}, {certs.Stranger, "decoy"}, {certs.Client, "target"}} {
				for _, version := range []string{"-tls1_2", "-tls1_3"} {
					options := []string{version}
					if c.cert != "" {
						options = append(options, "-cert", c.cert, "-key", c.cert, "-cert_chain", c.cert)
					}
					if got := heardFrom(t, d.Addr("server"), options...); got != c.want {
						t.Errorf("%s %s with %q leads to %q, want %q", level, version, c.cert, got, c.want)
					}
				}
			}
			d.WaitLine(`LOG5\[0\]: Redirecting connection$`)
			d.WaitLine(`LOG4\[\d\]: Rejected by CERT at depth=\d: `)
		})
	}
}

// TestSecondariesOfBoth has the name that the client asks for choose what is said inside
// TLS too, and an IP address for a name, which both clients send.
func TestSecondariesOfBoth(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	bothServers(t, func(t *testing.T, server string) {
		first := testpeer.Serve(t, func(c net.Conn) {
			// All of the line: what is left unread would turn the end into a reset.
			line, _ := bufio.NewReader(c).ReadString('\n')
			word, _, _ := strings.Cut(line, " ")
			io.WriteString(c, word+"\n")
		})
		d := testpeer.Start(t, server, `
cert = `+certs.Server+`
[main]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("main"))+`
[told]
sni = main:*.told.test
protocol = proxy
connect = `+first+`
[address]
sni = main:127.0.0.1
connect = `+testpeer.Serve(t, says("address"))+"\n")
		for name, want := range map[string]string{"other.test": "main", "a.told.test": "PROXY"} {
			if got := heardFrom(t, d.Addr("main"), "-servername", name); got != want {
				t.Errorf("%s leads to %q, want %q", name, got, want)
			}
		}
		for _, client := range []string{self(t), testpeer.Need(t, "stunnel4", "stunnel4")} {
			c := testpeer.Start(t, client, `
[client]
client = yes
accept = 127.0.0.1:0
connect = `+d.Addr("main")+"\n")
			conn, err := net.Dial("tcp", c.Addr("client"))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); string(got) != "address\n" {
				t.Errorf("with the client %s: %q, %v", client, got, err)
			}
			c.WaitLine(`LOG6\[0\]: SNI: sending servername: 127\.0\.0\.1$`)
		}
		d.WaitLine(`LOG5\[\d\]: SNI: switched to service \[told\]$`)
	})
}
