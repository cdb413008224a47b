package guest

import (
	"context"
	"net"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// A Host is what a service lends to one negotiation. The guest's goroutine alone
// calls it, one method at a time.
type Host interface {
	// Accepted is the accepted connection, in the clear when the negotiation starts.
	Accepted() net.Conn

	// Connect dials the target and returns the outgoing connection, in the clear.
	// Its errors are told to the guest by [abi.Code]: an error may wrap a *CodeError,
	// else it is classed from the net package's errors.
	Connect(ctx context.Context) (net.Conn, error)

	// StartTLS does the handshake that the config asks for on a side and returns the
	// encrypted stream. Early holds bytes that were received but only ever peeked at:
	// they belong in front of what the connection gives next.
	StartTLS(ctx context.Context, side abi.Side, early []byte) (net.Conn, error)

	// Config gives a service option or guestOption by abi's keys.
	Config(key string) (string, bool)

	// Secret gives a value that must not reach a log.
	Secret(key string) (string, bool)

	// Info gives a fact of the connection. Facts that need a capability are asked
	// for only when it is granted.
	Info(id abi.InfoID) (string, bool)

	// Annotate keeps a fact about the connection for log and policy.
	Annotate(key, value string)

	// Log writes a guest's line at a severity 0 to 7; the text is already escaped and cut.
	Log(severity int, text string)
}
