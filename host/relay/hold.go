package relay

// readHolding reads with the buffer in hand: from a connection that cannot say
// when it is readable (a net.Pipe in a test), or from one that is.
func readHolding(s *Socket) (int, error) {
	if s.buf == nil {
		s.buf = buffers.Get().(*buffer)
		s.r, s.w = 0, 0
	}
	n, err := s.Conn.Read(s.buf[s.w:])
	if n > 0 {
		err = nil // a later read gives it again
	}
	return n, err
}
