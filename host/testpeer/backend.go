package testpeer

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// A halfCloser is a stream whose sending half closes alone: TCP, Unix and TLS.
type halfCloser interface{ CloseWrite() error }

// Serve runs a backend on a loopback port until the test ends, one goroutine for
// each connection, and gives its address. The connection is closed after handle.
func Serve(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ServeOn(t, ln, handle)
	return ln.Addr().String()
}

// ServeOn is Serve on a listener that the test made; it closes it.
func ServeOn(t testing.TB, ln net.Listener, handle func(net.Conn)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	closed := false
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			late := closed
			mu.Unlock()
			if late {
				c.Close()
				return
			}
			wg.Go(func() {
				defer c.Close()
				handle(c)
				mu.Lock()
				delete(conns, c)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		closed = true
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}

// Echo sends everything back at once, and its end after the peer's end.
func Echo(c net.Conn) {
	if _, err := io.Copy(c, c); err == nil {
		c.(halfCloser).CloseWrite()
	}
}

// EchoLate sends everything back, but only once the peer has closed its half: the
// answer is lost wherever a half-close is not kept.
func EchoLate(c net.Conn) {
	var all bytes.Buffer
	if _, err := io.Copy(&all, c); err != nil {
		return
	}
	if _, err := c.Write(all.Bytes()); err == nil {
		c.(halfCloser).CloseWrite()
	}
}

// Say sends a text and closes: it tells which of several backends was reached.
func Say(text string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, text) }
}
