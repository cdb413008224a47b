package stdproto_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A memConn is one end of a connection in memory. Unlike net.Pipe it buffers, as a
// socket does: a peer may send ahead of what is read.
type memConn struct {
	in, out *memHalf
	single  bool // reads give one byte at a time
}

// newMemPair makes both ends of a connection.
func newMemPair(single bool) (near, far *memConn) {
	a, b := newMemHalf(), newMemHalf()
	return &memConn{in: a, out: b, single: single}, &memConn{in: b, out: a}
}

func (c *memConn) Read(p []byte) (int, error) {
	if c.single && len(p) > 1 {
		p = p[:1]
	}
	return c.in.read(p)
}

func (c *memConn) Write(p []byte) (int, error) { return c.out.write(p) }

func (c *memConn) CloseWrite() error { c.out.end(); return nil }

func (c *memConn) Close() error { c.in.end(); c.out.end(); return nil }

func (c *memConn) SetDeadline(t time.Time) error     { return c.SetReadDeadline(t) }
func (c *memConn) SetWriteDeadline(time.Time) error  { return nil } // writes never wait
func (c *memConn) SetReadDeadline(t time.Time) error { c.in.setDeadline(t); return nil }
func (c *memConn) LocalAddr() net.Addr               { return memAddr{} }
func (c *memConn) RemoteAddr() net.Addr              { return memAddr{} }

type memAddr struct{}

func (memAddr) Network() string { return "memory" }
func (memAddr) String() string  { return "memory" }

// A memHalf is one direction.
type memHalf struct {
	mu       sync.Mutex
	change   sync.Cond
	data     []byte
	ended    bool
	deadline time.Time
	timer    *time.Timer
}

func newMemHalf() *memHalf {
	h := &memHalf{}
	h.change.L = &h.mu
	return h
}

func (h *memHalf) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.data) == 0 {
		if h.ended {
			return 0, io.EOF
		}
		if !h.deadline.IsZero() && !time.Now().Before(h.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		h.change.Wait()
	}
	n := copy(p, h.data)
	h.data = h.data[n:]
	return n, nil
}

func (h *memHalf) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return 0, io.ErrClosedPipe
	}
	h.data = append(h.data, p...)
	h.change.Broadcast()
	return len(p), nil
}

func (h *memHalf) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.change.Broadcast()
}

func (h *memHalf) setDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	h.deadline = t
	if !t.IsZero() {
		h.timer = time.AfterFunc(time.Until(t), h.change.Broadcast)
	}
	h.change.Broadcast()
}

// waiting is what was sent and not read yet.
func (h *memHalf) waiting() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Clone(h.data)
}
