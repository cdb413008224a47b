package psk

import (
	"crypto/tls"
	"testing"
)

func TestEverySuite(t *testing.T) {
	t.Parallel()
	for _, version := range []struct {
		suites []*suite
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

func wantError(t *testing.T, who string, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("%s says %v, want %q", who, err, want)
	}
}
