package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
)

// An End says how a side came to its end.
type End int

const (
	Open      End = iota // it did not: the relay ended for another reason
	Closed               // FIN, or close_notify
	Truncated            // the TLS side's TCP connection ended without close_notify
	Failed               // reset, a broken record, an alert
)

// A Result tells how a relay ended.
type Result struct {
	TLS, Plain End
	TLSErr     error // what failed there, reading or writing
	PlainErr   error
	Idle       bool   // TIMEOUTidle ended it: an error
	Slow       bool   // TIMEOUTclose ended it: not an error, stunnel closes
	Canceled   bool   // Stop ended it
	Panic      string // a fault of this program ended it: what, and where; empty: none
}

// Err says whether the connection ended in an error, which stunnel answers with
// a reset of both sockets.
func (r *Result) Err() bool {
	return r.TLS == Failed || r.Plain == Failed || r.Idle || r.Panic != ""
}

// IsAlert says whether TLS itself ended a handshake or connection, which it tells
// the peer by a fatal alert, or was told by one. The socket's own errors are the
// others: its end, a reset, a deadline. After an alert stunnel closes the TLS side
// normally, so that the alert arrives.
func IsAlert(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op == "remote error" || op.Op == "local error"
	}
	for _, socket := range []error{nil, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, socket) {
			return false
		}
	}
	return true
}
