package testpeer

import (
	"net"
	"testing"
	"time"
)

// Pair is a TCP connection over loopback: the side that dialled, and the one that was
// accepted. Both have Patience, and are closed with the test.
func Pair(t testing.TB) (dialled, accepted *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	for _, c := range []net.Conn{a, b} {
		c.SetDeadline(time.Now().Add(Patience))
	}
	return a.(*net.TCPConn), b.(*net.TCPConn)
}
