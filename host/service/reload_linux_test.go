package service

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// mappings counts the process's memory mappings, where compiled guests live.
func mappings(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

// Reloads free what the Sets before them held: certificates, guests, machine code.
func TestReloadsLeaveNothing(t *testing.T) {
	const reloads = 25
	b := newBench(t, logging.Notice)
	mx := testpeer.Serve(t, mail)
	text := "cert = {server}\n[x]\nprotocol = smtp\naccept = 127.0.0.1:0\nconnect = " + mx + "\n"
	reload := func(n int) {
		for range n {
			b.apply(text)
			c := call(t, b.addr("x"))
			if err := talk(c, "", "EHLO x"); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		eventually(t, func() bool { return b.srv.active.Load() == 0 }, func() string { return "connections are still there" })
	}
	reload(10)
	before, maps := measure(t), mappings(t)
	reload(reloads)
	before.settles(t, 512<<10)
	eventually(t, func() bool { return mappings(t) <= maps+reloads/2 }, func() string {
		return "memory mappings pile up"
	})
	t.Logf("%d mappings before, %d after", maps, mappings(t))
}

func TestListNamesEachConnection(t *testing.T) {
	b := newBench(t, logging.Debug)
	echo := testpeer.Serve(t, testpeer.Echo)
	b.apply(section("x", "127.0.0.1:0", echo))
	for _, text := range []string{"four", "seven.."} {
		c := callTLS(t, b.addr("x"), nil)
		io.WriteString(c, text)
		want(t, c, text)
		defer c.Close()
	}
	// The counters move right after the bytes do.
	eventually(t, func() bool {
		b.srv.mu.Lock()
		defer b.srv.mu.Unlock()
		var sum int64
		for c := range b.srv.conns {
			sum += c.counters.ToTLS.Load() + c.counters.ToSocket.Load()
		}
		return sum == 22
	}, func() string { return "the bytes are not counted" })
	b.srv.List()
	b.waitLog(`LOG0\[ui\]: Active connections:\n`+
		`.*LOG0\[ui\]: Active connection 1: Service \[x\], 4 byte\(s\) sent to TLS, 4 byte\(s\) sent to socket\n`+
		`.*LOG0\[ui\]: Active connection 2: Service \[x\], 7 byte\(s\) sent to TLS, 7 byte\(s\) sent to socket\n`+
		`.*LOG0\[ui\]: Listed 2 active connection\(s\)`, 1)
}
