package stunnel

import "io"

// A Code is why a host call did not do what it was asked.
type Code int32

const (
	EOF      Code = -1  // the peer closed before all was read
	TooLong  Code = -2  // no line end within the buffer; nothing was consumed
	Inval    Code = -3  // a number or name that means nothing
	State    Code = -4  // not now: not connected yet, or TLS already
	Inject   Code = -5  // plaintext is unread on the side that should start TLS
	Timeout  Code = -6  // the peer said nothing, or a dial took too long
	Refused  Code = -7  // the target refused the connection
	Net      Code = -8  // the target's network cannot be reached
	Host     Code = -9  // the target's name does not resolve
	Denied   Code = -10 // the config does not allow it
	TLS      Code = -11 // the handshake failed
	Limit    Code = -12 // a bound of this negotiation is used up
	None     Code = -13 // no such value
	IO       Code = -14 // reading or writing failed
	Internal Code = -15 // the host failed
)

// Error is the code in words that end a sentence.
func (c Code) Error() string {
	switch c {
	case EOF:
		return "connection closed"
	case TooLong:
		return "line too long"
	case Inval:
		return "invalid argument"
	case State:
		return "not in this state"
	case Inject:
		return "plaintext came before the handshake"
	case Timeout:
		return "timed out"
	case Refused:
		return "connection refused"
	case Net:
		return "network unreachable"
	case Host:
		return "host name does not resolve"
	case Denied:
		return "not allowed by the configuration"
	case TLS:
		return "TLS handshake failed"
	case Limit:
		return "limit of this negotiation reached"
	case None:
		return "not set"
	case IO:
		return "connection broken"
	}
	return "fault of the host"
}

// Is makes EOF an io.EOF for errors.Is.
func (c Code) Is(target error) bool { return c == EOF && target == io.EOF }

// isInternal tells whether the guest or the host is at fault rather than a peer.
func (c Code) isInternal() bool { return c == Inval || c == State || c <= Internal }
