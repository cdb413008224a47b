//go:build !unix

package relay

import "net"

// A rawReader on a system without readiness waits with the buffer in hand.
type rawReader struct{}

func (*rawReader) init(net.Conn) {}

func (*rawReader) read(s *Socket) (int, error) { return readHolding(s) }
