package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// Keys of the tests, as PSKsecrets has them. Bob's is text.
const (
	aliceHex = "a11ce0112233445566778899aabbccddeeff00112233445566778899aabbccdd"
	bobText  = "bob's key is a sentence"
)

// keyFile writes a PSKsecrets file.
func keyFile(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "psk.txt")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// keyTunnel starts a server service in one daemon and a client service in another that
// have nothing but keys.
func keyTunnel(t *testing.T, server, client, backend string, serverOptions, clientOptions string) (s, c *testpeer.Daemon) {
	t.Helper()
	s = testpeer.Start(t, server, `
[server]
accept = 127.0.0.1:0
connect = `+backend+`
`+serverOptions)
	c = testpeer.Start(t, client, `
[client]
client = yes
accept = 127.0.0.1:0
connect = `+s.Addr("server")+`
`+clientOptions)
	return s, c
}

// TestStunnelKeys has a real stunnel at either end, in both versions, with the suites of
// TLS 1.2 that it has, and after a HelloRetryRequest.
func TestStunnelKeys(t *testing.T) {
	t.Parallel()
	for _, v := range []struct{ name, options, version, suite string }{
		{"1.3", "sslVersion = TLSv1.3", "TLSv1.3", "TLS_AES_128_GCM_SHA256"},
		{"1.2", "sslVersion = TLSv1.2", "TLSv1.2", "ECDHE-PSK-CHACHA20-POLY1305"},
		{"1.2 AES-256", "sslVersion = TLSv1.2\nciphers = PSK-AES256-GCM-SHA384", "TLSv1.2", "PSK-AES256-GCM-SHA384"},
		{"1.2 AES-128", "sslVersion = TLSv1.2\nciphers = PSK-AES128-GCM-SHA256", "TLSv1.2", "PSK-AES128-GCM-SHA256"},
		{"default", "", "TLSv1.3", "TLS_AES_128_GCM_SHA256"},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, server, client string) {
				s, c := keyTunnel(t, server, client, testpeer.Serve(t, testpeer.Echo),
					v.options+"\nPSKsecrets = "+keyFile(t, "alice:"+aliceHex, "bob:"+bobText),
					v.options+"\nPSKidentity = bob\nPSKsecrets = "+keyFile(t, "alice:"+aliceHex, "bob:"+bobText))
				conn, err := net.Dial("tcp", c.Addr("client"))
				if err != nil {
					t.Fatal(err)
				}
				bulk(t, conn)
				for _, d := range []*testpeer.Daemon{s, c} {
					d.WaitLine(`LOG6\[0\]: ` + v.version + ` ciphersuite: ` + v.suite + ` \(\d+-bit encryption\)$`)
					d.WaitLine(`LOG5\[0\]: Connection closed: 1048576 byte\(s\) sent to TLS, 1048576 byte\(s\) sent to socket$`)
				}
				s.WaitLine(`LOG5\[0\]: Key configured for PSK identity "bob"$`)
				c.WaitLine(`LOG6\[0\]: PSK client configured for identity "bob"$`)
				if server == self(t) {
					s.WaitLine(`LOG6\[0\]: TLS accepted: PSK$`)
				} else {
					c.WaitLine(`LOG6\[0\]: TLS connected: PSK$`)
				}
			})
		})
	}
	t.Run("HelloRetryRequest", func(t *testing.T) {
		t.Parallel()
		eachWay(t, func(t *testing.T, server, client string) {
			keys := "\nPSKsecrets = " + keyFile(t, "alice:"+aliceHex)
			_, c := keyTunnel(t, server, client, testpeer.Serve(t, testpeer.Echo), "curves = P-384"+keys, "curves = X25519:P-384"+keys)
			conn, err := net.Dial("tcp", c.Addr("client"))
			if err != nil {
				t.Fatal(err)
			}
			bulk(t, conn)
			c.WaitLine(`LOG6\[0\]: Peer temporary key: .*384`)
		})
	})
}

// TestStunnelStrangers has clients without the right key: they reach nothing, and the log
// has stunnel's words and no key.
func TestStunnelStrangers(t *testing.T) {
	t.Parallel()
	for _, v := range versions {
		for who, line := range map[string]string{"wrong key": "alice:another key of some length", "unknown identity": "mallory:" + aliceHex} {
			t.Run(v.log+" "+who, func(t *testing.T) {
				t.Parallel()
				eachWay(t, func(t *testing.T, server, client string) {
					s, c := keyTunnel(t, server, client, testpeer.Serve(t, testpeer.Echo),
						"sslVersion = "+v.log+"\nPSKsecrets = "+keyFile(t, "alice:"+aliceHex),
						"sslVersion = "+v.log+"\nPSKsecrets = "+keyFile(t, line))
					conn, err := net.Dial("tcp", c.Addr("client"))
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					if n, _ := conn.Read(make([]byte, 1)); n != 0 {
						t.Error("bytes come through")
					}
					for _, d := range []*testpeer.Daemon{s, c} {
						d.WaitLine(`LOG5\[0\]: Connection (reset|closed).*: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket$`)
						for _, l := range d.Lines() {
							if strings.Contains(l, aliceHex) || strings.Contains(l, "another key") {
								t.Errorf("a key is in the log: %q", l)
							}
						}
					}
					switch {
					case server == self(t) && v.log == "TLSv1.3":
						s.WaitLine(`LOG3\[0\]: SSL_accept: .*binder does not verify$`)
					case server == self(t):
						s.WaitLine(`LOG3\[0\]: SSL_accept: .*decryption failed or bad record mac$`)
					default:
						c.WaitLine(`LOG3\[0\]: SSL_connect: (sslv3|tlsv1|tlsv13) alert `)
					}
				})
			})
		}
	}
}

// TestKeysBesideCertificates has clients of both kinds at one port, and sections of both
// kinds behind it.
func TestKeysBesideCertificates(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+certs.Server+`
[both]
accept = 127.0.0.1:0
PSKsecrets = `+keyFile(t, "alice:"+aliceHex)+`
[keyed]
sni = both:keyed.test
PSKsecrets = `+keyFile(t, "carol:"+aliceHex)+`
[certified]
sni = both:certified.test
`)
	const key = " -psk_identity alice -psk " + aliceHex
	n := 0
	for _, v := range versions {
		for _, c := range []struct {
			name, args string
			section    string // empty: refused
			keyed      bool
		}{
			{"certificate", "-noservername", "both", false},
			{"key", "-noservername" + key, "both", v.log == "TLSv1.3"}, // in TLS 1.2 OpenSSL prefers its certificate suites
			{"key alone", "-noservername -cipher PSK" + key, "both", true},
			{"certificate, section with keys", "-servername keyed.test", "keyed", false},
			{"key, section with keys", "-servername keyed.test -cipher PSK -psk_identity carol -psk " + aliceHex, "keyed", true},
			{"certificate, section without keys", "-servername certified.test", "certified", false},
			{"session", "-noservername -ign_eof", "both", false},
		} {
			args := append(strings.Fields(c.args), v.openssl)
			p := sClient(t, d, "both", args...)
			say(t, p, "line for "+strings.ReplaceAll(c.name, " ", "-"))
			p.Stdin.Close()
			how := `TLS accepted: new session negotiated`
			if c.keyed {
				how = `TLS accepted: PSK`
			}
			id := `\[` + strconv.Itoa(n) + `\]`
			d.WaitLine(`LOG6` + id + `: ` + how + `$`)
			d.WaitLine(`LOG5` + id + `: Service \[` + c.section + `\] connected remote server from `)
			n++
		}
		// Another section's key, and another one's identity.
		for _, args := range []string{"-servername keyed.test -cipher PSK" + key, "-servername certified.test -cipher PSK" + key} {
			p := sClient(t, d, "both", append(strings.Fields(args), v.openssl)...)
			if v.log == "TLSv1.3" {
				// The section's certificate is what such a client gets, and s_client takes any.
				say(t, p, "with a certificate")
				p.Stdin.Close()
				d.WaitLine(`LOG6\[` + strconv.Itoa(n) + `\]: TLS accepted: new session negotiated$`)
			} else {
				p.WaitLine(`alert (handshake failure|bad record mac)`)
			}
			n++
		}
	}
}

// TestKeysBehindSTARTTLS has a guest speak before a handshake with a key, on both sides.
func TestKeysBehindSTARTTLS(t *testing.T) {
	t.Parallel()
	keys := "protocol = smtp\nPSKsecrets = " + keyFile(t, "alice:"+aliceHex)
	sink := testpeer.Sink(t)
	s, c := keyTunnel(t, self(t), self(t), sink.Addr, keys, keys)
	conn, err := net.Dial("tcp", c.Addr("client"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("EHLO client.test\r\nQUIT\r\n")); err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(testpeer.Patience))
	if answer, err := io.ReadAll(conn); !strings.Contains(string(answer), "\n221 ") {
		t.Errorf("the server answers %q, %v", answer, err)
	}
	s.WaitLine(`LOG6\[0\]: TLS accepted: PSK$`)
	c.WaitLine(`LOG6\[0\]: TLS connected: PSK$`)
}

// TestKeysAndHTTP has a client without TLS at a service with keys, and at one with a
// certificate too, which reads ahead and puts back what it has read.
func TestKeysAndHTTP(t *testing.T) {
	t.Parallel()
	d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
PSKsecrets = `+keyFile(t, "alice:"+aliceHex)+`
[keyed]
accept = 127.0.0.1:0
[both]
accept = 127.0.0.1:0
cert = `+testpeer.Certs(t).Server+`
`)
	for i, service := range []string{"keyed", "both"} {
		conn, err := net.Dial("tcp", d.Addr(service))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		d.WaitLine(`LOG3\[` + strconv.Itoa(i) + `\]: SSL_accept: .*: http request$`)
	}
}
