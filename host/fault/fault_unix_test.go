//go:build !windows

package fault

import (
	"net"
	"syscall"
	"testing"
)

func TestReset(t *testing.T) {
	ln := listen(t)
	near, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := ln.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	if err := far.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if _, err := near.Read(make([]byte, 1)); !Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
	// What a write says depends on how much the system knows by then.
	if _, err := near.Write([]byte("x")); !Is(err, syscall.EPIPE, syscall.ECONNRESET) {
		t.Errorf("writing: %v", err)
	}
}
