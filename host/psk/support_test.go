package psk

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// The identity and key of most tests.
const alice = "alice"

var aliceKey = []byte("0123456789abcdef0123456789abcdef")

func aliceHex() string { return hex.EncodeToString(aliceKey) }

func secrets(t testing.TB, entries ...Entry) *Secrets {
	t.Helper()
	s, err := NewSecrets(entries)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// config is one that alice's key is in, with a second identity around it.
func config(t testing.TB, change func(c *Config)) *Config {
	t.Helper()
	c := &Config{
		Secrets:  secrets(t, Entry{"bob", bytes.Repeat([]byte{1}, 16)}, Entry{alice, aliceKey}, Entry{"carol", bytes.Repeat([]byte{2}, 48)}),
		Identity: alice,
	}
	if change != nil {
		change(c)
	}
	return c
}

func versionsOf(low, high uint16) func(*Config) {
	return func(c *Config) { c.MinVersion, c.MaxVersion = low, high }
}

var (
	only12 = versionsOf(tls.VersionTLS12, tls.VersionTLS12)
	only13 = versionsOf(tls.VersionTLS13, tls.VersionTLS13)
)

// serve reads a hello and does the server's handshake.
func serve(c net.Conn, config *Config) (*Conn, error) {
	hello, err := ReadHello(c)
	if err != nil {
		return nil, err
	}
	s := Server(c, config, hello)
	return s, s.Handshake()
}

// A result is how one side's handshake ended.
type result struct {
	conn *Conn
	err  error
}

// shake does a handshake between two of ours.
func shake(t testing.TB, client, server *Config) (c, s result) {
	t.Helper()
	a, b := testpeer.Pair(t)
	done := make(chan result, 1)
	go func() {
		conn, err := serve(b, server)
		if err != nil {
			b.CloseWrite() // the client may wait for more
		}
		done <- result{conn, err}
	}()
	c.conn = Client(a, client)
	if c.err = c.conn.Handshake(); c.err != nil {
		a.CloseWrite()
	}
	return c, <-done
}

// connected is shake for handshakes that must succeed.
func connected(t testing.TB, client, server *Config) (c, s *Conn) {
	t.Helper()
	cr, sr := shake(t, client, server)
	if cr.err != nil || sr.err != nil {
		t.Fatalf("client: %v; server: %v", cr.err, sr.err)
	}
	return cr.conn, sr.conn
}

// exchangeText sends a text each way.
func exchangeText(t testing.TB, a, b net.Conn) {
	t.Helper()
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		text := bytes.Repeat([]byte("0123456789abcdef"), 4000) // four records
		sent := make(chan error, 1)
		go func() {
			_, err := way[0].Write(text)
			sent <- err
		}()
		got := make([]byte, len(text))
		if _, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("reading: %v", err)
		}
		if err := <-sent; err != nil {
			t.Fatalf("writing: %v", err)
		}
	}
}
