package service

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

var secretOfKeys = []byte("0123456789abcdef0123456789 is a key")

// keyLine is the option for a file with the key of alice.
func keyLine(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "psk.txt")
	if err := os.WriteFile(name, append([]byte("alice:"), secretOfKeys...), 0o600); err != nil {
		t.Fatal(err)
	}
	return "PSKsecrets = " + name + "\n"
}

// callKeyed connects with a key.
func callKeyed(t testing.TB, below net.Conn, identity string, version uint16) *psk.Conn {
	t.Helper()
	s, err := psk.NewSecrets([]psk.Entry{{Identity: identity, Secret: secretOfKeys}})
	if err != nil {
		t.Fatal(err)
	}
	return psk.Client(below, &psk.Config{Secrets: s, Identity: identity, MinVersion: version, MaxVersion: version})
}

// A splitting connection puts the first record that is written into many of size bytes, and
// sends them in one write, or each byte in one of its own.
type splitting struct {
	net.Conn
	size   int
	single bool
	done   bool
}

func (s *splitting) Write(p []byte) (int, error) {
	if s.done {
		return s.Conn.Write(p)
	}
	s.done = true
	var wire []byte
	for rest := p; len(rest) > 0; {
		n := int(rest[3])<<8 | int(rest[4])
		for body := rest[5 : 5+n]; len(body) > 0; {
			part := min(s.size, len(body))
			wire = append(wire, rest[0], rest[1], rest[2], byte(part>>8), byte(part))
			wire, body = append(wire, body[:part]...), body[part:]
		}
		rest = rest[5+n:]
	}
	if !s.single {
		_, err := s.Conn.Write(wire)
		return len(p), err
	}
	for i := range wire {
		if _, err := s.Conn.Write(wire[i : i+1]); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// TestHellosOfAnyForm has clients of both kinds at a service that reads the hello first, with
// their hello in records of any size (RFC 8446, section 5.1), and one that is too long for the
// reader: crypto/tls gets it as it came.
func TestHellosOfAnyForm(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\n" + section("x", "127.0.0.1:0", testpeer.Serve(t, testpeer.Echo)) + keyLine(t))
	long := make([]string, 80)
	for i := range long {
		long[i] = strings.Repeat(string(rune('!'+i)), 255)
	}
	for _, c := range []struct {
		name      string
		size      int
		single    bool
		protocols []string
	}{
		{"whole", 1 << 14, false, nil}, {"in bytes", 1, false, nil}, {"in sevens", 7, false, nil}, {"a byte at a time", 100, true, nil},
		{"long", 1 << 14, false, long}, {"long, in parts", 1000, false, long},
	} {
		t.Run(c.name, func(t *testing.T) {
			below := func() net.Conn { return &splitting{Conn: call(t, b.addr("x")), size: c.size, single: c.single} }
			conns := map[string]net.Conn{
				"certificate":     tls.Client(below(), &tls.Config{InsecureSkipVerify: true, NextProtos: c.protocols}),
				"certificate 1.2": tls.Client(below(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}),
			}
			if c.protocols == nil {
				conns["key"] = callKeyed(t, below(), "alice", tls.VersionTLS13)
				conns["key 1.2"] = callKeyed(t, below(), "alice", tls.VersionTLS12)
			}
			for kind, conn := range conns {
				text := "hello from " + kind
				if _, err := io.WriteString(conn, text); err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				want(t, conn, text)
			}
		})
	}
	// The hello of SSL 2, which crypto/tls knows and refuses by protocol_version.
	old := call(t, b.addr("x"))
	old.Write(append([]byte{0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16}, bytes.Repeat([]byte{7}, 37)...))
	if got, err := io.ReadAll(old); err != nil || len(got) != 7 || got[0] != 21 || got[6] != 70 {
		t.Errorf("SSL 2 gets %x, %v", got, err)
	}
}

// TestKeysAndRedirect has a client with a key get in where the service redirects those without
// a certificate: the key is what it shows. Who has neither is led elsewhere.
func TestKeysAndRedirect(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\n" + section("x", "127.0.0.1:0", testpeer.Serve(t, says("inside"))) + keyLine(t) +
		"CAfile = {root}\nverifyChain = yes\nredirect = " + testpeer.Serve(t, says("decoy")) + "\n")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		want(t, callKeyed(t, call(t, b.addr("x")), "alice", version), "inside")
		want(t, callTLS(t, b.addr("x"), &tls.Config{MaxVersion: version}), "decoy")
	}
	// An identity that does not exist has no certificate to get on with.
	if _, err := callKeyed(t, call(t, b.addr("x")), "mallory", tls.VersionTLS13).Read(make([]byte, 1)); err == nil {
		t.Error("mallory gets in")
	}
}

// TestKeysAndStallingPeers has clients stop at each point of their side of a handshake: the
// service's time-out ends them, and nothing of them stays.
func TestKeysAndStallingPeers(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\nTIMEOUTbusy = 1\n" + section("x", "127.0.0.1:0", testpeer.Serve(t, testpeer.Echo)) + keyLine(t))
	for _, sent := range []string{"", "\x16", "\x16\x03\x01\x02\x00", "\x16\x03\x01\x02\x00\x01\x00\x01"} {
		if _, err := io.WriteString(call(t, b.addr("x")), sent); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		below := &muted{Conn: call(t, b.addr("x")), left: 1}
		go callKeyed(t, below, "alice", version).Handshake()
	}
	b.waitLog(`ssl_start: s_poll_wait: TIMEOUTbusy exceeded: sending reset`, 6)
	b.waitLog(`Connection reset: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket`, 6)
}

// A muted connection says only so much, and hears nothing of what it does not say.
type muted struct {
	net.Conn
	left int // writes
}

func (m *muted) Write(p []byte) (int, error) {
	if m.left--; m.left < 0 {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

// TestKeysAndPolicies has a policy that lets in whose certificate was verified: a key is none.
func TestKeysAndPolicies(t *testing.T) {
	b := newBench(t, logging.Debug)
	back, arrived := counted(t, testpeer.Echo)
	b.apply("debug = debug\n" + section("x", "127.0.0.1:0", back) + keyLine(t) +
		"CAfile = {root}\nverifyChain = yes\nrequireCert = yes\npolicy = acl\nguestOption = acl.rule=allow cert verified\n")
	c := callKeyed(t, call(t, b.addr("x")), "alice", 0)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	b.waitLog(`policy acl denied`, 1)
	if arrived.Load() != 0 {
		t.Error("a key passes for a certificate")
	}
}

// TestPoliciesKnowKeys lets the holder of one key in, of two that open the service, and
// nobody with a certificate, in both versions.
func TestPoliciesKnowKeys(t *testing.T) {
	b := newBench(t, logging.Debug)
	keys := filepath.Join(t.TempDir(), "psk.txt")
	if err := os.WriteFile(keys, []byte("alice:"+string(secretOfKeys)+"\nbob:"+string(secretOfKeys)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.apply(section("x", "127.0.0.1:0", testpeer.Serve(t, testpeer.Echo)) + "PSKsecrets = " + keys + "\npolicy = acl\nguestOption = acl.rule=allow psk alice\n")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		alice := callKeyed(t, call(t, b.addr("x")), "alice", version)
		io.WriteString(alice, "hello")
		want(t, alice, "hello")
		for name, other := range map[string]net.Conn{
			"bob":         callKeyed(t, call(t, b.addr("x")), "bob", version),
			"certificate": callTLS(t, b.addr("x"), &tls.Config{MaxVersion: version}),
		} {
			io.WriteString(other, "hello")
			if got, err := io.ReadAll(other); len(got) > 0 {
				t.Errorf("%s reads %q, %v", name, got, err)
			}
		}
	}
	b.waitLog(`no rule allows it`, 4)
}
