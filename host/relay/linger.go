package relay

import (
	"context"
	"io"
	"time"
)

// Bounds of Linger: how long it waits for the peer's end, and how many bytes it
// throws away meanwhile.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
)

// Linger closes the connection so that what was written last arrives. A plain
// close while the peer's bytes are unread makes the kernel send a reset, and that
// takes an alert or an error reply back out of the peer's hands. The end of ctx
// cuts the wait short.
func (s *Socket) Linger(ctx context.Context) error {
	if s.CloseWrite() == nil && s.Conn.SetDeadline(time.Now().Add(lingerTime)) == nil {
		stop := context.AfterFunc(ctx, s.Abort)
		io.CopyN(io.Discard, s.Conn, lingerBytes)
		stop()
	}
	return s.Conn.Close()
}
