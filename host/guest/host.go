package guest

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// A Host is what a service lends to one negotiation. The guest's goroutine alone
// calls it, one method at a time.
type Host interface {
	// Accepted is the accepted connection, in the clear when the negotiation starts.
	Accepted() net.Conn

	// SetTarget chooses the target of Connect, "host:port". Whether the config allows it
	// is for Connect to find out; an error here is told to the guest at once.
	SetTarget(target string) error

	// Resolve looks a name up and gives the addresses that the config allows as targets.
	Resolve(ctx context.Context, name string) ([]netip.Addr, error)

	// Connect dials the target and returns the outgoing connection, in the clear.
	// Its errors are told to the guest by [abi.Code]: an error may wrap a *CodeError,
	// else it is classed from the net package's errors.
	Connect(ctx context.Context) (net.Conn, error)

	// StartTLS does the handshake that the config asks for on a side and returns the
	// encrypted stream. ALPN lists the application protocols to offer or accept; nil:
	// none. Early holds bytes that were received but only ever peeked at:
	// they belong in front of what the connection gives next. An error that is ErrTaken
	// ends the run.
	StartTLS(ctx context.Context, side abi.Side, alpn []string, early []byte) (net.Conn, error)

	// Config gives a service option or guestOption by abi's keys.
	Config(key string) (string, bool)

	// Secret gives a value that must not reach a log.
	Secret(key string) (string, bool)

	// Info gives a fact of the connection. Facts that need a capability are asked
	// for only when it is granted.
	Info(id abi.InfoID) (string, bool)

	// Annotate keeps a fact about the connection for log and policy.
	Annotate(key, value string)

	// Fact gives the last value that was annotated under a key, by whichever guest of
	// this connection.
	Fact(key string) (string, bool)

	// Log writes a guest's line at a severity 0 to 7; the text is already escaped and cut.
	Log(severity int, text string)
}

// ErrTaken is what StartTLS gives when the handshake showed that the connection is not for
// this guest: the run ends there and then, by an [Error] that wraps it.
var ErrTaken = errors.New("the connection goes on without this guest")

// A Faulter is a Host that makes calls fail, to see what a guest makes of it. Fault is
// asked before each call that can fail, with its number in the run, from 1; a code that
// is not 0 is all that comes of the call.
type Faulter interface {
	Fault(function string, call int) abi.Code
}

// NoHost lends nothing: hosts that lend little embed it.
type NoHost struct{}

var _ Host = NoHost{}

var errNothing = errors.New("this host does not lend that")

func (NoHost) Accepted() net.Conn                                    { return nil }
func (NoHost) SetTarget(string) error                                { return errNothing }
func (NoHost) Resolve(context.Context, string) ([]netip.Addr, error) { return nil, errNothing }
func (NoHost) Connect(context.Context) (net.Conn, error)             { return nil, errNothing }
func (NoHost) Config(string) (string, bool)                          { return "", false }
func (NoHost) Secret(string) (string, bool)                          { return "", false }
func (NoHost) Info(abi.InfoID) (string, bool)                        { return "", false }
func (NoHost) Annotate(_, _ string)                                  {}
func (NoHost) Fact(string) (string, bool)                            { return "", false }
func (NoHost) Log(int, string)                                       {}
func (NoHost) StartTLS(context.Context, abi.Side, []string, []byte) (net.Conn, error) {
	return nil, errNothing
}
