//go:build unix

package relay

import (
	"net"
	"os"
	"syscall"
)

// A rawReader reads from a connection without holding a buffer while it waits:
// the buffer is taken when the kernel has bytes, and not before.
type rawReader struct {
	rc  syscall.RawConn // nil for a connection without a descriptor
	try func(fd uintptr) bool
	s   *Socket
	n   int
	err error
}

func (r *rawReader) init(c net.Conn) {
	if sc, ok := c.(syscall.Conn); ok {
		if rc, err := sc.SyscallConn(); err == nil {
			r.rc = rc
			r.try = r.attempt // once: a method value allocates
		}
	}
}

func (r *rawReader) read(s *Socket) (int, error) {
	if r.rc == nil {
		return readHolding(s)
	}
	r.s, r.n, r.err = s, 0, nil
	if err := r.rc.Read(r.try); err != nil {
		return 0, err
	}
	return r.n, r.err
}

// attempt reads what is there and says false to wait for more.
func (r *rawReader) attempt(fd uintptr) bool {
	s := r.s
	fresh := s.buf == nil
	if fresh {
		s.buf = buffers.Get().(*buffer)
		s.r, s.w = 0, 0
	}
	for {
		n, err := syscall.Read(int(fd), s.buf[s.w:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			if fresh {
				buffers.Put(s.buf)
				s.buf = nil
			}
			return false
		case err != nil:
			r.err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
		default:
			r.n = n
		}
		return true
	}
}
