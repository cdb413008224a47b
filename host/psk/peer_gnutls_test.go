package psk

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// pskFile writes a file of keys as GnuTLS's server takes it.
func pskFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "psk.txt")
	if err := os.WriteFile(name, []byte(alice+":"+aliceHex()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The priorities of GnuTLS that leave keys and nothing else.
var gnutlsPriorities = map[string]uint16{
	"NORMAL:-KX-ALL:+ECDHE-PSK:+PSK:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2":                                 tls.VersionTLS13,
	"NORMAL:-KX-ALL:+ECDHE-PSK:+PSK:-VERS-ALL:+VERS-TLS1.3":                                              tls.VersionTLS13,
	"NORMAL:-KX-ALL:+ECDHE-PSK:+PSK:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-SECP384R1": tls.VersionTLS13,
	"NORMAL:-KX-ALL:+ECDHE-PSK:-VERS-ALL:+VERS-TLS1.2":                                                   tls.VersionTLS12,
	"NORMAL:-KX-ALL:+PSK:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM":                                tls.VersionTLS12,
	"NORMAL:-KX-ALL:+PSK:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM":                                tls.VersionTLS12,
	"NORMAL:-KX-ALL:+ECDHE-PSK:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305":                    tls.VersionTLS12,
}

func TestGnuTLSClient(t *testing.T) {
	t.Parallel()
	cli := testpeer.Need(t, "gnutls-cli", "gnutls-bin")
	for priority, version := range gnutlsPriorities {
		t.Run(priority, func(t *testing.T) {
			t.Parallel()
			addr, ends := echoServer(t, config(t, nil))
			_, port, _ := net.SplitHostPort(addr)
			p := testpeer.Run(t, cli, "--pskusername", alice, "--pskkey", aliceHex(), "--priority", priority, "--port", port, "127.0.0.1")
			r := end(t, ends)
			if r.err != nil || r.conn.ConnectionState().Version != version {
				t.Fatalf("%v", r.err)
			}
			if version == tls.VersionTLS12 && strings.Contains(priority, "ECDHE") {
				return // gnutls-cli 3.7.9 crashes here, with openssl's server too
			}
			fmt.Fprintln(p.Stdin, "over and back")
			p.WaitLine(`^over and back$`)
			p.Stdin.Close()
			if status := p.Wait(); status != 0 {
				t.Errorf("gnutls-cli ends with %d", status)
			}
		})
	}
}

func TestGnuTLSServer(t *testing.T) {
	t.Parallel()
	serv := testpeer.Need(t, "gnutls-serv", "gnutls-bin")
	for priority, version := range gnutlsPriorities {
		if strings.Contains(priority, "FFDHE") {
			continue // it is for the client's HelloRetryRequest
		}
		t.Run(priority, func(t *testing.T) {
			t.Parallel()
			port := testpeer.FreePort(t)
			p := testpeer.Run(t, serv, "--echo", "--pskpasswd", pskFile(t), "--priority", priority, "--port", port)
			p.WaitPort("tcp", "127.0.0.1:"+port)
			c := dial(t, "127.0.0.1:"+port, config(t, nil))
			if err := c.Handshake(); err != nil || c.ConnectionState().Version != version {
				t.Fatal(err)
			}
			fmt.Fprintln(c, "over and back")
			if line, err := bufio.NewReader(c).ReadString('\n'); line != "over and back\n" || err != nil {
				t.Errorf("%q, %v", line, err)
			}
		})
	}
}
