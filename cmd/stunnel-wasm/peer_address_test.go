package main

import (
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestPortZero gives several services, and a service twice, a port of the
// system's choice: each gets its own.
func TestPortZero(t *testing.T) {
	t.Parallel()
	d := start(t, `
client = yes
[one]
accept = 127.0.0.1:0
accept = 127.0.0.1:0
connect = 127.0.0.1:1
[two]
accept = 127.0.0.1:0
connect = 127.0.0.1:1
`)
	ports := map[string]bool{}
	for _, a := range d.WaitLines(`\(FD=\d+\) bound to (127\.0\.0\.1:\d+)$`, 3) {
		ports[a] = true
	}
	if len(ports) != 3 || ports["127.0.0.1:0"] {
		t.Errorf("bound to %v, not to three ports", ports)
	}
}

// TestUnixSockets goes from a TLS client through two services that are joined by
// Unix sockets to a backend on one.
func TestUnixSockets(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	dir := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(dir, "backend"))
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, ln, testpeer.EchoLate)
	d := start(t, `
[server]
accept = `+dir+`/tls
connect = `+dir+`/backend
cert = `+certs.Server+`
[client]
client = yes
accept = `+dir+`/plain
connect = `+dir+`/tls
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
	c, err := net.Dial("unix", d.Addr("client"))
	if err != nil {
		t.Fatal(err)
	}
	bulk(t, c)
	d.WaitLine(`Service \[client\] accepted connection from unix:socket$`)
	d.WaitLines(`Connection closed: 1048576 byte\(s\) sent to TLS, 1048576 byte\(s\) sent to socket$`, 2)
	d.Stop()
	for _, name := range []string{"tls", "plain"} {
		if c, err := net.Dial("unix", filepath.Join(dir, name)); err == nil {
			c.Close()
			t.Errorf("the socket %s answers after the end", name)
		}
	}
}

// TestFailover has three targets, the first of them dead.
func TestFailover(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	dead := "127.0.0.1:" + testpeer.FreePort(t)
	targets := `
connect = ` + dead + `
connect = ` + testpeer.Serve(t, testpeer.Say("first")) + `
connect = ` + testpeer.Serve(t, testpeer.Say("second")) + `
cert = ` + certs.Server + `
`
	d := start(t, `
[prio]
accept = 127.0.0.1:0
failover = prio
`+targets+`
[rr]
accept = 127.0.0.1:0
failover = rr
`+targets+`
[none]
accept = 127.0.0.1:0
connect = `+dead+`
connect = `+dead+`
cert = `+certs.Server+`
`)
	reach := func(service string) (string, error) {
		c, err := tls.Dial("tcp", d.Addr(service), &tls.Config{RootCAs: certs.Pool(t), ServerName: "localhost"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		text, err := io.ReadAll(c)
		return string(text), err
	}
	const rounds = 6
	for range rounds {
		if got, err := reach("prio"); got != "first" || err != nil {
			t.Errorf("prio reaches %q: %v", got, err)
		}
	}
	d.WaitLines(`LOG3\[\d+\]: s_connect: connect `+dead+`: Connection refused \(111\)$`, rounds)
	seen := map[string]int{}
	for range rounds {
		got, err := reach("rr")
		if err != nil {
			t.Errorf("rr: %v", err)
		}
		seen[got]++
	}
	// The dead target's turn falls to the one behind it.
	if seen["first"] != 4 || seen["second"] != 2 {
		t.Errorf("rr reaches %v in %d connections", seen, rounds)
	}
	if got, err := reach("none"); err == nil {
		t.Errorf("with all targets dead the client gets %q and no reset", got)
	}
	d.WaitLine(`LOG3\[12\]: No more addresses to connect$`)
	d.WaitLine(`LOG5\[12\]: Connection reset: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket$`)
}
