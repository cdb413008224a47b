package relay

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// A Socket is a TCP or Unix stream connection whose read buffer comes from a
// pool and is held only while there are bytes in it, so that an idle connection
// costs no buffer. TLS may sit on top of it.
//
// One goroutine may read while another writes, as with any net.Conn. The Socket
// owns the connection: closing it closes the connection.
type Socket struct {
	net.Conn
	rd rawReader

	buf  *buffer // nil while nothing is buffered
	r, w int     // buf[r:w] is unread
	eof  bool    // the peer's FIN was read

	framed  bool // hand out one TLS record at a time
	left    int  // of the current record, not handed out yet
	isAlert bool // the current record is an alert in the clear
	alert   byte // the last such alert's description
	nowait  bool // Read says errAgain where it would block
	shaking shake
	steady  bool // TLS does no handshake under the relay: shaking stays settled

	// The writing half. The lock is for TLS's reading goroutine, which answers a
	// KeyUpdate or sends an alert while the other goroutine holds writes back.
	mu   sync.Mutex
	out  *buffer // bytes held back between Cork and Uncork
	outn int
	cork bool
}

// NewSocket takes over a connection.
func NewSocket(c net.Conn) *Socket {
	s := &Socket{Conn: c}
	s.rd.init(c)
	return s
}

// Buffered is the number of bytes that were received and not read yet.
func (s *Socket) Buffered() int { return s.w - s.r }

// Unread puts bytes in front of what Read gives next. It fits as long as they
// came out of this socket's buffer.
func (s *Socket) Unread(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if len(b)+s.Buffered() > BufferSize {
		return errors.New("putting back more than a buffer holds")
	}
	if s.buf == nil {
		s.buf = buffers.Get().(*buffer)
		s.r, s.w = 0, 0
	}
	copy(s.buf[len(b):], s.buf[s.r:s.w])
	copy(s.buf[:], b)
	s.r, s.w = 0, s.w-s.r+len(b)
	if s.left > 0 {
		s.left += len(b) // they belong to the record that was read in part
	}
	return nil
}

// Read implements net.Conn.
func (s *Socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !s.framed && s.Buffered() == 0 {
		// Before TLS nothing is read ahead of what was asked for: a negotiation must
		// know all the plaintext that came.
		return s.Conn.Read(p)
	}
	if s.framed && s.left == 0 {
		for s.Buffered() < recordHeader {
			if s.nowait && s.shaking == settled {
				if s.eof {
					return 0, io.EOF
				}
				return 0, errAgain
			}
			if err := s.fillShaking(); err != nil {
				return 0, err
			}
		}
		s.left = recordHeader + s.payload()
		s.isAlert = s.buf[s.r] == alertRecord && s.payload() == 2
		if !s.steady {
			s.shaking = s.shaking.next(s.buf[s.r])
		}
	}
	if s.Buffered() == 0 {
		if s.nowait && s.shaking == settled && !s.eof {
			return 0, errAgain
		}
		if err := s.fillShaking(); err != nil {
			return 0, err
		}
	}
	n := s.Buffered()
	if s.framed {
		n = min(n, s.left)
	}
	n = copy(p, s.buf[s.r:s.r+n])
	s.r += n
	if s.framed {
		s.left -= n
		if s.isAlert && s.left == 0 {
			s.alert = p[n-1]
		}
		if s.left == 0 && s.shaking == finished {
			s.shaking = settled
		}
	}
	s.release()
	return n, nil
}

// release gives an empty buffer back.
func (s *Socket) release() {
	if s.buf != nil && s.r == s.w {
		buffers.Put(s.buf)
		s.buf, s.r, s.w = nil, 0, 0
	}
}

// fill blocks until at least one more byte is buffered. It takes a buffer only
// once there is something to read.
func (s *Socket) fill() error {
	if s.eof {
		return io.EOF
	}
	if s.buf != nil && s.w == BufferSize {
		if s.r == 0 {
			return io.ErrShortBuffer
		}
		s.w = copy(s.buf[:], s.buf[s.r:s.w])
		s.r = 0
	}
	n, err := s.rd.read(s)
	if n == 0 && err == nil {
		err = io.EOF
	}
	if err == io.EOF {
		s.eof = true
	}
	s.w += n
	s.release()
	return err
}

// next blocks for bytes and lends them; they are valid until the next call.
// Only for a socket without TLS.
func (s *Socket) next() ([]byte, error) {
	s.release()
	if s.Buffered() == 0 {
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	b := s.buf[s.r:s.w]
	s.r = s.w
	return b, nil
}

// Write implements net.Conn.
func (s *Socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.cork {
		return s.Conn.Write(p)
	}
	if s.outn+len(p) > BufferSize {
		if err := s.flush(); err != nil {
			return 0, err
		}
		if len(p) > BufferSize {
			return s.Conn.Write(p)
		}
	}
	if s.out == nil {
		s.out = buffers.Get().(*buffer)
	}
	s.outn += copy(s.out[s.outn:], p)
	return len(p), nil
}

// flush writes what is held back; the caller has the lock.
func (s *Socket) flush() error {
	if s.outn == 0 {
		return nil
	}
	_, err := s.Conn.Write(s.out[:s.outn])
	s.outn = 0
	return err
}

// Cork holds writes back, so that several records leave in one system call.
// Uncork must follow.
func (s *Socket) Cork() {
	s.mu.Lock()
	s.cork = true
	s.mu.Unlock()
}

// Uncork sends what Cork held back.
func (s *Socket) Uncork() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.flush()
	if s.out != nil {
		buffers.Put(s.out)
		s.out = nil
	}
	s.cork = false
	return err
}

// CloseWrite sends a FIN.
func (s *Socket) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Reset closes the connection with an RST instead of a FIN (stunnel's reset
// option), so that the peer does not take an error for a clean end.
func (s *Socket) Reset() error {
	if c, ok := s.Conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	return s.Conn.Close()
}

// Abort makes every read and write under way, and every later one, end at once
// with os.ErrDeadlineExceeded. It is safe from any goroutine.
func (s *Socket) Abort() {
	s.Conn.SetDeadline(time.Unix(1, 0))
}

// SetWriteDeadline implements net.Conn. Under a running relay it does nothing:
// crypto/tls gives its close_notify five seconds, and a peer that reads slower
// than that would lose all that waits in front of it. The relay's own bounds hold.
func (s *Socket) SetWriteDeadline(t time.Time) error {
	if s.nowait {
		return nil
	}
	return s.Conn.SetWriteDeadline(t)
}

// SyscallConn lets socket options be set.
func (s *Socket) SyscallConn() (syscall.RawConn, error) {
	if c, ok := s.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
