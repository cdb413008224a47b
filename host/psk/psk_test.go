package psk

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

func TestEverySuite(t *testing.T) {
	t.Parallel()
	for _, version := range []struct {
		suites []suite
		bounds func(*Config)
		number uint16
	}{{suites13, only13, tls.VersionTLS13}, {suites12, only12, tls.VersionTLS12}} {
		for _, s := range version.suites {
			t.Run(s.name, func(t *testing.T) {
				conf := config(t, func(c *Config) {
					version.bounds(c)
					c.Suites = []uint16{s.id}
				})
				c, srv := connected(t, conf, config(t, nil))
				exchangeText(t, c, srv)
				for _, side := range []*Conn{c, srv} {
					st := side.ConnectionState()
					if st.Version != version.number || st.CipherSuite != s.id || !st.HandshakeComplete {
						t.Errorf("version %x, suite %x", st.Version, st.CipherSuite)
					}
					if s.ecdhe != (st.CurveID == tls.X25519) {
						t.Errorf("curve %v", st.CurveID)
					}
				}
			})
		}
	}
}

// TestGroups has a server that takes one group, which the client offers with a key share or
// without one: then there is a HelloRetryRequest.
func TestGroups(t *testing.T) {
	t.Parallel()
	for _, version := range []func(*Config){only12, only13} {
		for _, g := range []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521} {
			client := config(t, func(c *Config) {
				version(c)
				c.Groups = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
			})
			c, s := connected(t, client, config(t, func(c *Config) { c.Groups = []tls.CurveID{g} }))
			exchangeText(t, c, s)
			if got := c.ConnectionState().CurveID; got != g {
				t.Errorf("%v was agreed on, not %v", got, g)
			}
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	any := func(*Config) {}
	for _, c := range []struct {
		name           string
		client, server func(*Config)
		want           uint16
		clientErr      string
		serverErr      string
	}{
		{"both have both", any, any, tls.VersionTLS13, "", ""},
		{"the client has 1.2", only12, any, tls.VersionTLS12, "", ""},
		{"the server has 1.2", any, only12, tls.VersionTLS12, "", ""},
		{"both have 1.2", only12, only12, tls.VersionTLS12, "", ""},
		{"the client lacks 1.2", only13, only12, 0, "remote error: tls: protocol version not supported", "tls: client offered only unsupported versions"},
		{"the client lacks 1.3", only12, only13, 0, "remote error: tls: protocol version not supported", "tls: client offered only unsupported versions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cr, sr := shake(t, config(t, c.client), config(t, c.server))
			if c.want != 0 {
				if cr.err != nil || sr.err != nil || cr.conn.ConnectionState().Version != c.want {
					t.Fatalf("client: %v, server: %v", cr.err, sr.err)
				}
				exchangeText(t, cr.conn, sr.conn)
				return
			}
			wantError(t, "the client", cr.err, c.clientErr)
			wantError(t, "the server", sr.err, c.serverErr)
		})
	}
}

func wantError(t *testing.T, who string, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("%s says %v, want %q", who, err, want)
	}
}

// TestStrangers has clients without the key: an identity that exists with a wrong key, and
// one that does not. The server must answer both alike.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bounds         func(*Config)
		client, server string
	}{
		"1.3": {only13, "remote error: tls: error decrypting message", "tls: invalid PSK binder"},
		"1.2": {only12, "remote error: tls: bad record MAC", "local error: tls: bad record MAC"},
	} {
		for who, entry := range map[string]Entry{
			"wrong key":        {alice, []byte("another key, as long as alice's.")},
			"unknown identity": {"mallory", aliceKey},
		} {
			t.Run(name+" "+who, func(t *testing.T) {
				client := &Config{Secrets: secrets(t, entry), Identity: entry.Identity}
				c.bounds(client)
				cr, sr := shake(t, client, config(t, nil))
				wantError(t, "the client", cr.err, c.client)
				wantError(t, "the server", sr.err, c.server)
			})
		}
	}
}

func TestNothingInCommon(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		client, server func(*Config)
		want           string
	}{
		{"group, 1.3", func(c *Config) { only13(c); c.Groups = []tls.CurveID{tls.X25519} }, func(c *Config) { c.Groups = []tls.CurveID{tls.CurveP256} },
			"tls: no key exchanges supported by both client and server"},
		{"group, 1.2 with ECDHE alone", func(c *Config) {
			only12(c)
			c.Groups = []tls.CurveID{tls.X25519}
			c.Suites = []uint16{TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256}
		}, func(c *Config) { c.Groups = []tls.CurveID{tls.CurveP256} }, "tls: no cipher suite supported by both client and server"},
		{"suite, 1.3", func(c *Config) { only13(c); c.Suites = []uint16{tls.TLS_AES_128_GCM_SHA256} },
			func(c *Config) { only13(c); c.Suites = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256} }, "tls: no cipher suite supported by both client and server"},
		{"suite, 1.2", func(c *Config) { only12(c); c.Suites = []uint16{TLS_PSK_WITH_AES_128_GCM_SHA256} },
			func(c *Config) { c.Suites = []uint16{TLS_PSK_WITH_AES_256_GCM_SHA384} }, "tls: no cipher suite supported by both client and server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cr, sr := shake(t, config(t, c.client), config(t, c.server))
			wantError(t, "the client", cr.err, "remote error: tls: handshake failure")
			wantError(t, "the server", sr.err, c.want)
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, bounds := range map[string]func(*Config){"1.3": only13, "1.2": only12} {
		t.Run(name, func(t *testing.T) {
			client := config(t, func(c *Config) {
				bounds(c)
				c.ServerName, c.Protocols = "www.example.org", []string{"imap", "pop3"}
			})
			c, s := connected(t, client, config(t, func(c *Config) { c.Protocols = []string{"ftp", "pop3", "imap"} }))
			for _, side := range []*Conn{c, s} {
				if st := side.ConnectionState(); st.ServerName != "www.example.org" || st.NegotiatedProtocol != "pop3" {
					t.Errorf("server name %q, protocol %q", st.ServerName, st.NegotiatedProtocol)
				}
			}
			c, _ = connected(t, client, config(t, nil)) // a server that takes no notice
			if p := c.ConnectionState().NegotiatedProtocol; p != "" {
				t.Errorf("protocol %q", p)
			}
			cr, sr := shake(t, client, config(t, func(c *Config) { c.Protocols = []string{"ftp"} }))
			wantError(t, "the client", cr.err, "remote error: tls: no application protocol")
			wantError(t, "the server", sr.err, "tls: client requested unsupported application protocols")
		})
	}
}

func TestCloseNotifyBothWays(t *testing.T) {
	t.Parallel()
	for name, bounds := range map[string]func(*Config){"1.3": only13, "1.2": only12} {
		t.Run(name, func(t *testing.T) {
			c, s := connected(t, config(t, bounds), config(t, nil))
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write([]byte("x")); err != errShutdown {
				t.Errorf("a write after close_notify: %v", err)
			}
			for range 2 {
				if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Fatalf("after close_notify: %d, %v", n, err)
				}
			}
			if _, err := s.Write([]byte("later")); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(c); string(got) != "later" || err != nil {
				t.Errorf("the other direction: %q, %v", got, err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

// Whoever cuts the connection between two records is not told from one who closes it here,
// as in crypto/tls: the socket below knows.
func TestCut(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, nil), config(t, nil))
	c.Conn.Write([]byte{23, 3, 3, 0, 40, 1, 2})
	c.Conn.Close()
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("within a record: %v", err)
	}
}

func TestKeyUpdates(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, nil), config(t, nil))
	for range 3 {
		c.out.Lock()
		if err := c.sendKeyUpdate(); err != nil {
			t.Fatal(err)
		}
		c.out.Unlock()
		exchangeText(t, c, s)
	}
	// One that is asked for.
	c.out.Lock()
	if err := errors.Join(c.out.Append(22, []byte{typeKeyUpdate, 0, 0, 1, updateRequested}), c.out.Update()); err != nil {
		t.Fatal(err)
	}
	c.out.Unlock()
	exchangeText(t, c, s)
	if s.updateAsked.Load() {
		t.Error("the server has not answered")
	}
	exchangeText(t, s, c)
}

// Both sides ask for updates while both write and read (RFC 8446, section 4.6.3): each
// direction's keys change by that direction's order alone.
func TestKeyUpdatesBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, only13), config(t, nil))
	const rounds, size = 200, 3000
	ends := make(chan error, 4)
	for _, side := range []*Conn{c, s} {
		go func() {
			var err error
			for i := 0; i < rounds && err == nil; i++ {
				side.out.Lock()
				request := []byte{typeKeyUpdate, 0, 0, 1, updateRequested}
				// A message may be in two records, under one key.
				err = errors.Join(side.out.Append(22, request[:i%4+1]), side.out.Append(22, request[i%4+1:]), side.out.Update())
				side.out.Unlock()
				if err == nil {
					_, err = side.Write(make([]byte, size))
				}
			}
			ends <- errors.Join(err, side.CloseWrite())
		}()
		go func() {
			n, err := io.Copy(io.Discard, side)
			if err == nil && n != rounds*size {
				err = io.ErrUnexpectedEOF
			}
			ends <- err
		}()
	}
	for range 4 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	var entries []Entry
	for n := range 40 {
		s := secrets(t, entries...)
		if s.Len() != n {
			t.Fatalf("%d of %d entries", s.Len(), n)
		}
		for i := range entries {
			key, ok := s.find(entries[i].Identity)
			if !ok || !slices.Equal(key, entries[i].Secret) {
				t.Fatalf("entry %d of %d is not found", i, n)
			}
		}
		for _, stranger := range []string{"", "nobody", strings.Repeat("x", 5000)} {
			if key, ok := s.find(stranger); ok || len(key) < MinSecret {
				t.Fatalf("%q is found among %d", stranger, n)
			}
		}
		entries = append(entries, Entry{string(rune('A' + n)), []byte(strings.Repeat(string(rune('A'+n)), 16))})
	}
	for _, bad := range [][]Entry{
		{{"a", aliceKey}, {"b", aliceKey}, {"a", aliceKey}},
		{{"", aliceKey}},
		{{strings.Repeat("x", MaxIdentity+1), aliceKey}},
		{{"a", aliceKey[:MinSecret-1]}},
		{{"a", make([]byte, MaxSecret+1)}},
	} {
		if _, err := NewSecrets(bad); err == nil || strings.Contains(err.Error(), string(aliceKey)) {
			t.Errorf("%d entries: %v", len(bad), err)
		}
	}
}

// How long a hash takes tells the length of what goes in. A decoy is as long as some key that
// exists, the same for the same identity, and of an identity's own key it has nothing.
func TestDecoyIsAsLongAsKeys(t *testing.T) {
	t.Parallel()
	s := secrets(t, Entry{"short", bytes.Repeat([]byte{1}, 16)}, Entry{"middle", bytes.Repeat([]byte{2}, 70)}, Entry{"long", bytes.Repeat([]byte{3}, 200)})
	for i := range 300 {
		identity := "nobody " + strconv.Itoa(i)
		decoy, ok := s.find(identity)
		again, _ := s.find(identity)
		if ok || !bytes.Equal(decoy, again) {
			t.Fatalf("%s: %v, %x and %x", identity, ok, decoy, again)
		}
		if bytes.Count(decoy, []byte{decoy[0]}) == len(decoy) {
			t.Fatalf("%s has a key of somebody else", identity)
		}
		if n := len(decoy); n != 16 && n != 70 && n != 200 {
			t.Errorf("a decoy of %d bytes", n)
		}
	}
}

// A deadline that passes is no end, also in the middle of a record.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	a, b := testpeer.Pair(t)
	held := &holding{Conn: a}
	c := Client(held, config(t, nil))
	shook := make(chan error, 1)
	go func() { shook <- c.Handshake() }()
	s, err := serve(b, config(t, nil))
	if err := errors.Join(err, <-shook); err != nil {
		t.Fatal(err)
	}
	held.hold = true
	wire := &held.wire
	if _, err := c.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{nil, wire.Bytes()[:3], wire.Bytes()[3:9]} {
		if _, err := a.Write(part); err != nil {
			t.Fatal(err)
		}
		s.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, err := s.Read(make([]byte, 9)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	s.SetReadDeadline(time.Now().Add(testpeer.Patience))
	if _, err := a.Write(wire.Bytes()[9:]); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 9)
	if n, err := s.Read(got); string(got[:n]) != "late" || err != nil {
		t.Errorf("%q, %v", got[:n], err)
	}
}

// A holding connection keeps what is written, if it is told so.
type holding struct {
	net.Conn
	hold bool
	wire bytes.Buffer
}

func (h *holding) Write(p []byte) (int, error) {
	if h.hold {
		return h.wire.Write(p)
	}
	return h.Conn.Write(p)
}

func TestBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, nil), config(t, nil))
	const size = 4 << 20
	ends := make(chan error, 4)
	for _, side := range []*Conn{c, s} {
		go func() {
			_, err := io.CopyN(side, neverEnding{}, size)
			ends <- errors.Join(err, side.CloseWrite())
		}()
		go func() {
			n, err := io.Copy(io.Discard, side)
			if err == nil && n != size {
				err = io.ErrUnexpectedEOF
			}
			ends <- err
		}()
	}
	for range 4 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }
