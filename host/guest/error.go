package guest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
)

// A Kind says what ended a guest.
type Kind int

const (
	KindLoad      Kind = iota // not a module that can run here: bytes, features, exports, size
	KindHash                  // the module is not the one that the config pins
	KindImport                // an import is unknown, of another type or not granted
	KindTrap                  // the guest's own fault: unreachable, a division by zero, an access out of bounds
	KindFuel                  // the instruction budget is used up
	KindDepth                 // calls nest too deep
	KindTime                  // the time for the whole negotiation is over
	KindCalls                 // too many host calls
	KindClear                 // too many plaintext bytes on one side
	KindPointer               // a host call was given memory that the guest does not have
	KindRefusal               // negotiate or configure returned something else than zero
	KindCancelled             // the caller's context ended
	KindInternal              // the host's fault
)

func (k Kind) String() string {
	names := [...]string{"load", "hash", "import", "trap", "fuel", "depth", "time", "calls", "clear",
		"pointer", "refusal", "cancelled", "internal"}
	if k < 0 || int(k) >= len(names) {
		return "invalid"
	}
	return names[k]
}

// An Error says why a guest could not be loaded or how its run ended. Its text is
// one line, and everything in it that a guest or a peer chose is escaped and cut.
type Error struct {
	Guest  string // the name that the config gives
	Hash   string // SHA-256 of the module in hex
	Kind   Kind
	Class  abi.Class // for KindRefusal: what fail said
	Place  string    // the innermost function of the guest that was running; may be empty
	Reason string
	Trace  string // the guest's stack, innermost first, a line each; may be empty
	Err    error  // what made it fail, if something outside the guest did
}

// hashPrefix is how many hex digits of a module's hash an error shows: enough to
// tell modules apart, short enough for a log line.
const hashPrefix = 12

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "guest %s", e.Guest)
	if len(e.Hash) >= hashPrefix {
		fmt.Fprintf(&b, " (%s)", e.Hash[:hashPrefix])
	}
	b.WriteString(": ")
	b.WriteString(e.Reason)
	if e.Place != "" {
		fmt.Fprintf(&b, " in %s", e.Place)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap gives what made the run fail outside the guest: a dial, a handshake, the
// end of the caller's context.
func (e *Error) Unwrap() error { return e.Err }

// A halt is what the host panics with inside a host call to end a run. wazero
// unwinds the guest and hands it back, wrapped, as the error of the call.
type halt struct {
	kind   Kind
	reason string
	err    error
}

func (h *halt) Error() string { return h.reason }

// traceMark is what wazero writes between an error and the guest's stack.
const traceMark = "wasm stack trace:"

// errorOf turns what wazero returned into the error that callers see.
func (m *Module) errorOf(err error) *Error {
	e := m.errorf(KindTrap, "")
	cause, trace, _ := strings.Cut(err.Error(), traceMark)
	e.Place, e.Trace = readTrace(trace)

	if h, ok := errors.AsType[*halt](err); ok {
		e.Kind, e.Reason, e.Err = h.kind, h.reason, h.err
		return e
	}
	cause = strings.TrimSpace(cause)
	// A Go panic below a host call is ours, not the guest's.
	if what, ok := strings.CutSuffix(cause, "(recovered by wazero)"); ok {
		e.Kind, e.Reason = KindInternal, "the host panicked: "+printable(strings.TrimSpace(what), maxReason)
		return e
	}
	if _, trap, ok := strings.Cut(cause, "wasm error: "); ok {
		cause = trap
	}
	if strings.HasPrefix(cause, "stack overflow") {
		e.Kind = KindDepth
	}
	e.Reason = "trap: " + printable(cause, maxReason)
	return e
}

func (m *Module) errorf(k Kind, format string, args ...any) *Error {
	return &Error{Guest: m.Name, Hash: m.Hash, Kind: k, Reason: fmt.Sprintf(format, args...)}
}

// readTrace takes the guest's frames out of wazero's text. Guests are instantiated
// without a name, so their frames begin with a dot and the host's do not; the meter's own
// is left out. Function names come from the module: they are escaped, or a name with a
// line feed in it would forge log lines.
func readTrace(text string) (place, trace string) {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "."+meter.Refuel+"(") {
			continue
		}
		lines = append(lines, printable(line, maxReason))
		if name, ok := strings.CutPrefix(line, "."); ok && place == "" {
			name, _, _ = strings.Cut(name, "(")
			place = printable(name, maxPlace)
		}
	}
	return place, strings.Join(lines, "\n")
}
