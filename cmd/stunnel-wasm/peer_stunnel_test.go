package main

import (
	"net"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// tunnel starts a server service in one daemon and a client service in another
// that leads to it, both with further options, and gives both.
func tunnel(t *testing.T, server, client string, backend, options string) (s, c *testpeer.Daemon) {
	t.Helper()
	certs := testpeer.Certs(t)
	s = testpeer.Start(t, server, options+`
[server]
accept = 127.0.0.1:0
connect = `+backend+`
cert = `+certs.Server+`
`)
	c = testpeer.Start(t, client, options+`
[client]
client = yes
accept = 127.0.0.1:0
connect = `+s.Addr("server")+`
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
	return s, c
}

// eachWay runs a test with our server and stunnel's client, and the reverse.
func eachWay(t *testing.T, test func(t *testing.T, server, client string)) {
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	t.Run("our server", func(t *testing.T) {
		t.Parallel()
		test(t, self(t), stunnel)
	})
	t.Run("our client", func(t *testing.T) {
		t.Parallel()
		test(t, stunnel, self(t))
	})
}

// TestStunnelBulk moves a mebibyte both ways at once, and again so that all of
// the answer comes after the half-close.
func TestStunnelBulk(t *testing.T) {
	t.Parallel()
	for _, v := range versions {
		for name, backend := range map[string]func(net.Conn){"at once": testpeer.Echo, "after the end": testpeer.EchoLate} {
			t.Run(v.log+" "+name, func(t *testing.T) {
				t.Parallel()
				eachWay(t, func(t *testing.T, server, client string) {
					s, c := tunnel(t, server, client, testpeer.Serve(t, backend), "sslVersion = "+v.log+"\n")
					conn, err := net.Dial("tcp", c.Addr("client"))
					if err != nil {
						t.Fatal(err)
					}
					bulk(t, conn)
					for _, d := range []*testpeer.Daemon{s, c} {
						d.WaitLine(`LOG6\[0\]: ` + v.log + ` ciphersuite: `)
						d.WaitLine(`LOG5\[0\]: Connection closed: 1048576 byte\(s\) sent to TLS, 1048576 byte\(s\) sent to socket$`)
					}
				})
			})
		}
	}
}

func TestStunnelResumes(t *testing.T) {
	t.Parallel()
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, server, client string) {
				s, c := tunnel(t, server, client, testpeer.Serve(t, testpeer.Echo), "sslVersion = "+v.log+"\n")
				const reused = "previous session reused"
				for i, how := range []string{"new session negotiated", reused, reused, reused} {
					conn, err := net.Dial("tcp", c.Addr("client"))
					if err != nil {
						t.Fatal(err)
					}
					bulk(t, conn)
					id := string(rune('0' + i))
					s.WaitLine(`LOG6\[` + id + `\]: TLS accepted: ` + how + `$`)
					c.WaitLine(`LOG6\[` + id + `\]: TLS connected: ` + how + `$`)
					s.WaitLine(`LOG5\[` + id + `\]: Connection closed: `)
					c.WaitLine(`LOG5\[` + id + `\]: Connection closed: `)
				}
			})
		})
	}
}

// TestStunnelTargetRefuses has a backend that is not there.
func TestStunnelTargetRefuses(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, server, client string) {
		s, c := tunnel(t, server, client, "127.0.0.1:"+testpeer.FreePort(t), "")
		n := 0
		conn, err := net.Dial("tcp", c.Addr("client"))
		if err == nil { // else the reset came before Dial returned
			defer conn.Close()
			n, err = conn.Read(make([]byte, 1))
		}
		s.WaitLine(`LOG5\[0\]: Connection reset: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket$`)
		if client != self(t) {
			return // stunnel's client passes the reset on or not, as its poll has it
		}
		if n != 0 || err == nil || !strings.Contains(err.Error(), "connection reset") {
			t.Errorf("the client reads %d bytes and %v, not a reset", n, err)
		}
		c.WaitLine(`LOG5\[0\]: Connection reset: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket$`)
	})
}
