package psk

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

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
