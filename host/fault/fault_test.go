package fault

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.(*net.TCPListener)
}

func TestAddressInUse(t *testing.T) {
	ln := listen(t)
	_, err := net.Listen("tcp4", ln.Addr().String())
	if !Is(err, syscall.EADDRINUSE) || Is(err, syscall.ECONNREFUSED, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
	if !Is(AddressInUse, syscall.EADDRINUSE) {
		t.Errorf("%v is something else", AddressInUse)
	}
}

func TestRefused(t *testing.T) {
	ln := listen(t)
	ln.Close()
	_, err := net.Dial("tcp4", ln.Addr().String())
	if !Is(err, syscall.EPIPE, syscall.ECONNREFUSED) || Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
}

func TestOthers(t *testing.T) {
	for _, err := range []error{nil, net.ErrClosed, errors.New("x")} {
		if Is(err, syscall.EADDRINUSE, syscall.EPIPE) {
			t.Errorf("%v is taken for a system's", err)
		}
	}
}
