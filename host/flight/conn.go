package flight

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// A wire is what the connections of one flight share: whatever changes on one of
// them wakes whoever waits.
type wire struct {
	mu     sync.Mutex
	change sync.Cond
	near   []*Conn // the guest's ends
}

func newWire() *wire {
	w := &wire{}
	w.change.L = &w.mu
	return w
}

// A Conn is one end of a connection in memory. Unlike net.Pipe it buffers, as a
// socket does: a peer may send ahead of what is read.
type Conn struct {
	wire    *wire
	in, out *half
	single  bool // reads give one byte at a time

	// All below is guarded by wire.mu.
	use      use
	shaking  bool // the guest starts TLS
	deadline time.Time
	timer    *time.Timer
}

// A half is one direction.
type half struct {
	data  []byte
	ended bool
}

// A use is what the guest does with a connection, as far as the calls on it tell.
type use int

const (
	idle     use = iota
	armed        // a deadline was set, so that a read or a write is about to come
	waiting      // a read found nothing
	returned     // a read or a write ended, and the guest has it
)

// Pipe makes both ends of a connection: the guest's, and its peer's.
func Pipe(single bool) (near, far *Conn) { return pipe(newWire(), single) }

func pipe(w *wire, single bool) (near, far *Conn) {
	a, b := &half{}, &half{}
	near = &Conn{wire: w, in: a, out: b, single: single}
	w.near = append(w.near, near)
	return near, &Conn{wire: w, in: b, out: a}
}

func (c *Conn) Read(p []byte) (int, error) {
	if c.single && len(p) > 1 {
		p = p[:1]
	}
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	for len(c.in.data) == 0 {
		if c.in.ended {
			c.use = returned
			return 0, io.EOF
		}
		if c.late() {
			c.use = returned
			return 0, os.ErrDeadlineExceeded
		}
		if c.use != waiting {
			c.use = waiting
			c.wire.change.Broadcast()
		}
		c.wire.change.Wait()
	}
	c.use = returned
	n := copy(p, c.in.data)
	c.in.data = c.in.data[n:]
	return n, nil
}

func (c *Conn) Write(p []byte) (int, error) {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.use = returned
	if c.out.ended {
		return 0, io.ErrClosedPipe
	}
	c.out.data = append(c.out.data, p...)
	c.wire.change.Broadcast()
	return len(p), nil
}

// CloseWrite lets the other end read the end of the stream behind what was written.
func (c *Conn) CloseWrite() error { return c.end(c.out) }

func (c *Conn) Close() error { return c.end(c.in, c.out) }

func (c *Conn) end(halves ...*half) error {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	for _, h := range halves {
		h.ended = true
	}
	c.wire.change.Broadcast()
	return nil
}

// Unheard is what was sent to this end and not read yet.
func (c *Conn) Unheard() []byte {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	return bytes.Clone(c.in.data)
}

func (c *Conn) SetReadDeadline(t time.Time) error {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.deadline = t
	// A deadline that has passed wakes a wait. One to come announces a read or a write.
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		for _, other := range c.wire.near {
			if other.use == returned {
				other.use = idle
			}
		}
		c.use = armed
		c.timer = time.AfterFunc(wait, func() {
			c.wire.mu.Lock()
			defer c.wire.mu.Unlock()
			c.wire.change.Broadcast()
		})
	}
	c.wire.change.Broadcast()
	return nil
}

func (c *Conn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(time.Time) error { return nil } // writes never wait
func (c *Conn) LocalAddr() net.Addr              { return memory{} }
func (c *Conn) RemoteAddr() net.Addr             { return memory{} }

// shake says that the guest starts TLS on this connection.
func (c *Conn) shake() {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.shaking = true
}

// shaken says that the host is through with it.
func (c *Conn) shaken() {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.use, c.shaking = returned, false
}

func (c *Conn) late() bool { return !c.deadline.IsZero() && !time.Now().Before(c.deadline) }

// quiet tells whether the guest waits for a peer, and until when at most; zero: for
// ever. The caller holds the lock.
//
// A call of the guest arms the connections that it waits for, then reads. So it waits
// if one of them does and none is armed or has returned: in a wait for both sides the
// one may wait already before the other is looked at, and the one that returns wakes
// the other only then.
func (w *wire) quiet() (until time.Time, ok bool) {
	for _, c := range w.near {
		switch c.use {
		case armed, returned:
			return until, false
		case waiting:
			if len(c.in.data) > 0 || c.in.ended || c.late() {
				return until, false
			}
			ok = true
			if until.IsZero() || !c.deadline.IsZero() && c.deadline.Before(until) {
				until = c.deadline
			}
		}
	}
	return until, ok
}

// waitsFor tells which peers the guest waits for. The caller holds the lock.
func (w *wire) waitsFor() string {
	var all []string
	for side, c := range w.near {
		switch name := letter(abi.Side(side)); {
		case c.use != waiting:
		case c.shaking:
			all = append(all, "the handshake of "+name+" (tls "+name+")")
		default:
			all = append(all, name)
		}
	}
	return strings.Join(all, " or ")
}

type memory struct{}

func (memory) Network() string { return "memory" }
func (memory) String() string  { return "memory" }
