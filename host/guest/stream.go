package guest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// streamBuffer is the size in bytes of a side's first buffer. A line of SMTP has
// at most 512, so that most negotiations need no other.
const streamBuffer = 4 << 10

// A bufferPool keeps first buffers. They are cleared before they go back, since
// they held what peers said in the clear.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() []byte {
	if b, ok := p.pool.Get().(*[streamBuffer]byte); ok {
		return b[:]
	}
	return make([]byte, streamBuffer)
}

func (p *bufferPool) put(b []byte) {
	if cap(b) != streamBuffer {
		return
	}
	clear(b)
	p.pool.Put((*[streamBuffer]byte)(b))
}

// A stream is one side as the guest sees it: a connection, and what was received
// on it but not handed out yet.
type stream struct {
	conn net.Conn // nil: not connected
	tls  bool
	dead bool // a handshake failed: what the connection gives now means nothing

	buf  []byte // nil until the first read
	r, w int    // buf[r:w] is unread
	err  error  // why no more can be read: io.EOF or what the connection said

	clear    int  // plaintext bytes handed out and written so far
	consumed bool // plaintext was handed out
}

// unread is what was received and not handed out, valid until the next fill.
func (s *stream) unread() []byte { return s.buf[s.r:s.w] }

// take hands out n unread bytes.
func (s *stream) take(dst []byte) {
	s.r += copy(dst, s.unread())
	if s.r == s.w {
		s.r, s.w = 0, 0
	}
	if !s.tls {
		s.clear += len(dst)
		s.consumed = s.consumed || len(dst) > 0
	}
}

// room makes the buffer able to hold size unread bytes, which are more than there are.
func (s *stream) room(size int, p *bufferPool) {
	if s.buf == nil {
		s.buf = p.get()
	}
	if s.r+size <= len(s.buf) {
		return
	}
	if size <= len(s.buf) {
		s.r, s.w = 0, copy(s.buf, s.unread())
		return
	}
	grown := make([]byte, max(2*len(s.buf), size))
	s.r, s.w = 0, copy(grown, s.unread())
	p.put(s.buf)
	s.buf = grown
}

// readOnce waits for bytes, until the deadline that is set on the connection. It
// returns a time-out without keeping it: the next read may wait again.
func (s *stream) readOnce() error {
	if s.err != nil {
		return s.err
	}
	// A reader may return nothing without an error; one that does so for ever is broken.
	for range 100 {
		n, err := s.conn.Read(s.buf[s.w:])
		s.w += n
		if n > 0 {
			return nil
		}
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				s.err = err
			}
			return err
		}
	}
	s.err = io.ErrNoProgress
	return s.err
}

// fill waits for more bytes than there are unread, up to size of them.
// The error is a code for the guest; 0 is success.
func (n *negotiation) fill(s *stream, size int) abi.Code {
	if s.err == nil {
		s.room(size, &n.module.runtime.buffers)
		n.arm(s.conn, n.until())
	}
	held := n.pause()
	err := s.readOnce()
	n.resume(held)
	return n.readCode(err)
}

// readCode ends the run if a wait ended because the negotiation is over, else says
// what the guest is told of it.
func (n *negotiation) readCode(err error) abi.Code {
	switch {
	case err == nil:
		return 0
	case err == io.EOF:
		return abi.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		n.checkTime()
	}
	n.cause = err
	if isTimeout(err) {
		return abi.Timeout
	}
	return abi.IO
}

// read hands out what there is, after waiting for one byte.
func (n *negotiation) read(s *stream, dst []byte) abi.Code {
	if len(dst) == 0 {
		return abi.Inval
	}
	for s.r == s.w {
		if code := n.fill(s, 1); code == abi.EOF {
			return 0
		} else if code != 0 {
			return code
		}
	}
	dst = dst[:min(len(dst), s.w-s.r)]
	if left := n.clearLeft(s); left < len(dst) {
		if left == 0 {
			return n.spend()
		}
		dst = dst[:left]
	}
	s.take(dst)
	return abi.Code(len(dst))
}

// readFull hands out len(dst) bytes. If the peer ends the stream before, what came
// is consumed all the same.
func (n *negotiation) readFull(s *stream, dst []byte) abi.Code {
	if n.clearLeft(s) < len(dst) {
		return n.spend()
	}
	for done := 0; done < len(dst); {
		if s.r == s.w {
			if code := n.fill(s, 1); code != 0 {
				return code
			}
		}
		part := dst[done:min(len(dst), done+s.w-s.r)]
		s.take(part)
		done += len(part)
	}
	return abi.Code(len(dst))
}

// readLine hands out a line with its line feed, and leaves what follows: bytes that
// came with the line that asks for TLS must not be taken for what comes after the
// handshake (CVE-2011-0411), and can only be told while nobody has them.
func (n *negotiation) readLine(s *stream, dst []byte) abi.Code {
	if len(dst) == 0 {
		return abi.Inval
	}
	dst = dst[:min(len(dst), n.limits.Clear)]
	for seen := 0; ; {
		if i := bytes.IndexByte(s.unread()[seen:], '\n'); i >= 0 {
			size := seen + i + 1
			if size > len(dst) {
				n.move(size)
				return abi.TooLong
			}
			if n.clearLeft(s) < size {
				return n.spend()
			}
			s.take(dst[:size])
			return abi.Code(size)
		}
		seen = s.w - s.r
		if seen >= len(dst) {
			n.move(seen)
			return abi.TooLong
		}
		if code := n.fill(s, seen+1); code != 0 {
			return code
		}
	}
}

// peek copies up to len(dst) bytes without handing them out: it waits for all of
// them or the end of the stream.
func (n *negotiation) peek(s *stream, dst []byte) abi.Code {
	if len(dst) == 0 {
		return abi.Inval
	}
	dst = dst[:min(len(dst), n.limits.Clear)]
	for s.w-s.r < len(dst) {
		if code := n.fill(s, len(dst)); code == abi.EOF {
			break
		} else if code != 0 {
			return code
		}
	}
	copied := copy(dst, s.unread())
	n.move(copied)
	return abi.Code(copied)
}

// write sends all of src.
func (n *negotiation) write(s *stream, src []byte) abi.Code {
	if n.clearLeft(s) < len(src) {
		return n.spend()
	}
	if !s.tls {
		s.clear += len(src)
	}
	if len(src) == 0 {
		return 0
	}
	n.move(len(src))
	n.arm(s.conn, n.until())
	held := n.pause()
	_, err := s.conn.Write(src)
	n.resume(held)
	if err != nil {
		return n.readCode(err)
	}
	return abi.Code(len(src))
}

// clearLeft is how many plaintext bytes may still pass on a side; as many as there
// are under TLS.
func (n *negotiation) clearLeft(s *stream) int {
	if s.tls {
		return int(^uint(0) >> 1)
	}
	return n.limits.Clear - s.clear
}

// spend ends the negotiation for a side that would pass its limit: the guest is
// told, and may still say why it gives up, but it cannot succeed any more.
func (n *negotiation) spend() abi.Code {
	n.spent = true
	return abi.Limit
}
