package relay

import (
	"net"
	"syscall"
)

// A rawReader reads from a connection without holding a buffer while it waits. Windows
// completes reads and tells of no readiness; but a read into no bytes completes when there
// are some, or the end, and that is how RawConn waits.
type rawReader struct {
	rc     syscall.RawConn // nil for a connection without a handle
	try    func(handle uintptr) bool
	waited bool
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
	if r.rc != nil && s.buf == nil {
		r.waited = false
		// A socket may tell of a reset once, and have an end like any other from then on.
		if err := r.rc.Read(r.try); err != nil {
			return 0, err
		}
	}
	return readHolding(s)
}

// attempt says false once, to wait.
func (r *rawReader) attempt(uintptr) bool {
	waited := r.waited
	r.waited = true
	return waited
}
