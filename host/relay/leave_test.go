package relay

import (
	"net"
	"testing"
)

// TestTLSPeerResetsAfterTheEnd has a peer that goes away without a close_notify of
// its own once the plain side has ended: no error, unlike a reset before.
func TestTLSPeerResetsAfterTheEnd(t *testing.T) {
	r := setup{}.start(t)
	send(t, r.plain, "221 bye")
	r.plain.(*net.TCPConn).CloseWrite()
	want(t, r.peer, "221 bye")
	wantEOF(t, r.peer)
	r.wire.(*net.TCPConn).SetLinger(0)
	r.wire.Close()
	wantEOF(t, r.plain)
	if res := r.end(t); res.Err() || res.TLS != Truncated || res.Plain != Closed {
		t.Errorf("ended with %+v", res)
	}
	r.counts(t, 7, 0)
}
