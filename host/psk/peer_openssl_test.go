package psk

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A choice is what openssl's arguments lead to.
type choice struct {
	name    string
	args    string
	version uint16
	suite   string
	group   tls.CurveID
}

func (c *choice) check(t *testing.T, st tls.ConnectionState) {
	t.Helper()
	if st.Version != c.version || SuiteName(st.CipherSuite) != c.suite || st.CurveID != c.group {
		t.Errorf("%x %s %v", st.Version, SuiteName(st.CipherSuite), st.CurveID)
	}
}

// TestOpenSSLClient has s_client in both versions, with a HelloRetryRequest, with each
// suite that it has, and with key updates from its side.
func TestOpenSSLClient(t *testing.T) {
	t.Parallel()
	openssl := testpeer.Need(t, "openssl", "openssl")
	for _, c := range []choice{
		{"auto", "", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.X25519},
		{"1.3", "-tls1_3", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.X25519},
		{"HelloRetryRequest", "-tls1_3 -groups X448:P-256", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.CurveP256},
		{"HelloRetryRequest to P-384", "-groups X448:P-384", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.CurveP384},
		{"1.3 ChaCha20", "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", tls.VersionTLS13, "TLS_CHACHA20_POLY1305_SHA256", tls.X25519},
		{"1.2", "-tls1_2", tls.VersionTLS12, "ECDHE-PSK-CHACHA20-POLY1305", tls.X25519},
		{"1.2 P-384", "-tls1_2 -groups P-384", tls.VersionTLS12, "ECDHE-PSK-CHACHA20-POLY1305", tls.CurveP384},
		{"1.2 AES-128", "-tls1_2 -cipher PSK-AES128-GCM-SHA256", tls.VersionTLS12, "PSK-AES128-GCM-SHA256", 0},
		{"1.2 AES-256", "-tls1_2 -cipher PSK-AES256-GCM-SHA384", tls.VersionTLS12, "PSK-AES256-GCM-SHA384", 0},
		{"1.2 ChaCha20", "-tls1_2 -cipher PSK-CHACHA20-POLY1305", tls.VersionTLS12, "PSK-CHACHA20-POLY1305", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr, ends := echoServer(t, config(t, func(c *Config) { c.Protocols = []string{"echo"} }))
			args := strings.Fields("s_client -connect " + addr + " -psk_identity alice -psk " + aliceHex() +
				" -servername www.example.org -alpn other,echo -nocommands " + c.args)
			p := testpeer.Run(t, openssl, args...)
			r := end(t, ends)
			if r.err != nil {
				t.Fatal(r.err)
			}
			st := r.conn.ConnectionState()
			c.check(t, st)
			if st.ServerName != "www.example.org" || st.NegotiatedProtocol != "echo" {
				t.Errorf("%q %q", st.ServerName, st.NegotiatedProtocol)
			}
			fmt.Fprintln(p.Stdin, "over and back")
			p.WaitLine(`^over and back$`)
			p.WaitLine(`^ALPN protocol: echo$`)
			p.Stdin.Close()
			if status := p.Wait(); status != 0 {
				t.Errorf("s_client ends with %d", status)
			}
		})
	}
	t.Run("key updates", func(t *testing.T) {
		t.Parallel()
		addr, ends := echoServer(t, config(t, nil))
		p := testpeer.Run(t, openssl, "s_client", "-connect", addr, "-psk_identity", alice, "-psk", aliceHex(), "-tls1_3")
		if r := end(t, ends); r.err != nil {
			t.Fatal(r.err)
		}
		for i, command := range []string{"k", "K", "K", "k"} {
			fmt.Fprintln(p.Stdin, command)
			p.WaitLines(`^KEYUPDATE$`, i+1)
			fmt.Fprintf(p.Stdin, "after %d\n", i)
			p.WaitLine(fmt.Sprintf(`^after %d$`, i))
		}
	})
	for _, c := range []struct{ name, args, theirs, ours string }{
		{"wrong key", "-tls1_3 -psk_identity alice -psk 00112233445566778899aabbccddeeff", "alert decrypt error", "tls: invalid PSK binder"},
		{"unknown identity", "-tls1_3 -psk_identity mallory -psk " + aliceHex(), "alert decrypt error", "tls: invalid PSK binder"},
		{"wrong key, 1.2", "-tls1_2 -psk_identity alice -psk 00112233445566778899aabbccddeeff", "alert bad record mac", "local error: tls: bad record MAC"},
		{"unknown identity, 1.2", "-tls1_2 -psk_identity mallory -psk " + aliceHex(), "alert bad record mac", "local error: tls: bad record MAC"},
		{"TLS 1.1", "-tls1_1 -cipher ALL:@SECLEVEL=0 -psk_identity alice -psk " + aliceHex(), "alert protocol version", "tls: client offered only unsupported versions"},
		{"no common group", "-tls1_3 -groups X448 -psk_identity alice -psk " + aliceHex(), "alert handshake failure", "tls: no key exchanges supported by both client and server"},
		{"no common suite", "-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384 -psk_identity alice -psk " + aliceHex(), "alert handshake failure", ""},
		{"CBC alone", "-tls1_2 -cipher PSK-AES128-CBC-SHA256 -psk_identity alice -psk " + aliceHex(), "alert handshake failure", "tls: no cipher suite supported by both client and server"},
		{"no key", "-tls1_3", "alert handshake failure", "tls: client offered no pre-shared key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr, ends := echoServer(t, config(t, nil))
			p := testpeer.Run(t, openssl, append(strings.Fields("s_client -connect "+addr), strings.Fields(c.args)...)...)
			r := end(t, ends)
			if r.err == nil || c.ours != "" && r.err.Error() != c.ours {
				t.Errorf("our end: %v", r.err)
			}
			p.WaitLine(c.theirs)
		})
	}
}

// opensslServer starts s_server and gives its address.
func opensslServer(t *testing.T, openssl string, args ...string) (*testpeer.Process, string) {
	t.Helper()
	p := testpeer.Run(t, openssl, append([]string{"s_server", "-accept", "127.0.0.1:0", "-nocert", "-psk_identity", alice, "-psk", aliceHex()}, args...)...)
	return p, p.WaitLine(`^ACCEPT (\S+)`)
}

// reversed does a handshake with a server that sends lines back from their end.
func reversed(t *testing.T, c *Conn) {
	t.Helper()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := io.WriteString(c, "stressed\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(c).ReadString('\n'); line != "desserts\n" || err != nil {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenSSLServer(t *testing.T) {
	t.Parallel()
	openssl := testpeer.Need(t, "openssl", "openssl")
	for _, c := range []choice{
		{"auto", "", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.X25519},
		{"1.3", "-tls1_3", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.X25519},
		{"HelloRetryRequest", "-groups P-384:X448", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.CurveP384},
		{"stateless, with a cookie", "-stateless -tls1_3", tls.VersionTLS13, "TLS_AES_128_GCM_SHA256", tls.X25519},
		{"1.3 ChaCha20", "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", tls.VersionTLS13, "TLS_CHACHA20_POLY1305_SHA256", tls.X25519},
		{"1.2", "-tls1_2", tls.VersionTLS12, "ECDHE-PSK-CHACHA20-POLY1305", tls.X25519},
		{"1.2 P-256", "-tls1_2 -groups P-256", tls.VersionTLS12, "ECDHE-PSK-CHACHA20-POLY1305", tls.CurveP256},
		{"1.2 with a hint", "-tls1_2 -psk_hint hint -cipher PSK-AES256-GCM-SHA384", tls.VersionTLS12, "PSK-AES256-GCM-SHA384", 0},
		{"1.2 AES-128", "-tls1_2 -cipher PSK-AES128-GCM-SHA256", tls.VersionTLS12, "PSK-AES128-GCM-SHA256", 0},
		{"1.2 ChaCha20", "-tls1_2 -cipher PSK-CHACHA20-POLY1305", tls.VersionTLS12, "PSK-CHACHA20-POLY1305", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, addr := opensslServer(t, openssl, append(strings.Fields(c.args), "-rev", "-servername", "www.example.org")...)
			conn := dial(t, addr, config(t, func(c *Config) { c.ServerName = "www.example.org" }))
			reversed(t, conn)
			c.check(t, conn.ConnectionState())
		})
	}
	t.Run("key updates", func(t *testing.T) {
		t.Parallel()
		p, addr := opensslServer(t, openssl, "-tls1_3", "-msg")
		conn := dial(t, addr, config(t, nil))
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(conn)
		for i, command := range []string{"k", "K", "K"} {
			fmt.Fprintf(conn, "before %d\n", i)
			p.WaitLine(fmt.Sprintf(`^before %d$`, i))
			fmt.Fprintln(p.Stdin, command)
			p.WaitLines(`^>>> .*KeyUpdate`, i+1)
			fmt.Fprintf(p.Stdin, "after %d\n", i)
			if line, err := lines.ReadString('\n'); line != fmt.Sprintf("after %d\n", i) || err != nil {
				t.Fatalf("%q, %v", line, err)
			}
		}
		fmt.Fprintln(conn, "the end")
		p.WaitLine(`^the end$`)
	})
	for _, c := range []struct {
		name, args, want string
		change           func(*Config)
	}{
		{"wrong key", "-tls1_3", "remote error: tls: ", func(c *Config) { c.Secrets = secrets(t, Entry{alice, []byte("not the same key")}) }},
		{"wrong key, 1.2", "-tls1_2", "remote error: tls: bad record MAC", func(c *Config) { c.Secrets = secrets(t, Entry{alice, []byte("not the same key")}) }},
		{"TLS 1.2 alone", "-tls1_2", "remote error: tls: protocol version not supported", only13},
		{"a group that we lack", "-tls1_3 -groups X448", "remote error: tls: handshake failure", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, addr := opensslServer(t, openssl, strings.Fields(c.args)...)
			err := dial(t, addr, config(t, c.change)).Handshake()
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	// Somebody with any certificate of their own must not pass for who has the key.
	t.Run("a certificate in place of the key", func(t *testing.T) {
		t.Parallel()
		certs := testpeer.Certs(t)
		for _, v := range []string{"-tls1_3", "-tls1_2"} {
			p := testpeer.Run(t, openssl, "s_server", "-accept", "127.0.0.1:0", "-cert", certs.Server, v)
			err := dial(t, p.WaitLine(`^ACCEPT (\S+)`), config(t, nil)).Handshake()
			if err == nil {
				t.Errorf("%s: a server without the key is accepted", v)
			}
		}
	})
}
