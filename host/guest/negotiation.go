package guest

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// negotiationKey finds the run that a host call belongs to in its context.
type negotiationKey struct{}

// A negotiation is the host's side of one run of a guest. The guest's goroutine
// alone uses it, but for what mu guards.
type negotiation struct {
	module  *Module
	host    Host    // nil while configure runs
	faulter Faulter // nil: calls fail by themselves alone
	limits  Limits
	end     time.Time
	config  func(key string) (string, bool)
	logTo   func(severity int, text string)

	start time.Time // when it began
	sides [2]stream

	fuel      uint64 // granted so far
	pages     uint32 // of memory, when the export returned
	calls     int
	worked    int    // what host calls did since the last turn, in instructions
	moved     uint64 // bytes that host calls copied, in instructions
	turn      bool   // a place of the runtime's turns is held
	connects  int
	resolves  int
	alpn      []string // of the next handshake
	spent     bool     // a side passed its plaintext limit
	cause     error    // what a call to the host last failed with
	failed    bool     // fail was called
	class     abi.Class
	sentence  string
	logLines  int
	logBytes  int
	annotated int

	imaging      bool                   // it makes an image of its module, for no connection
	initializing bool                   // _initialize runs
	clockBase    time.Duration          // of a clock that a guest sees
	seed         *rand.ChaCha8          // of what random_get gives without the capability; nil until then
	printed      [wasiStderr + 1][]byte // lines that were begun, by descriptor

	mu struct {
		sync.Mutex
		conns     [2]net.Conn // whose deadlines are ours, by side
		cancelled error       // why the caller's context ended: no wait may start; nil: it did not
	}
}

// past is a deadline that wakes whoever waits.
func past() time.Time { return time.Unix(1, 0) }

// until is when a wait that starts now ends.
func (n *negotiation) until() time.Time {
	if t := time.Now().Add(n.limits.Busy); t.Before(n.end) {
		return t
	}
	return n.end
}

// arm sets a connection's deadline, unless the caller gave up.
func (n *negotiation) arm(c net.Conn, t time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.cancelled != nil {
		t = past()
	}
	// A connection that cannot have a deadline any more is closed: the read or write says so.
	_ = c.SetDeadline(t)
}

// adopt makes a side's connection one that cancel wakes.
func (n *negotiation) adopt(side abi.Side, c net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sides[side].conn = c
	n.mu.conns[side] = c
}

// cancel ends all waits on the connections, now and later. It runs in a goroutine
// of its own when the caller's context ends, for the cause given.
func (n *negotiation) cancel(cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.cancelled = cause
	for _, c := range n.mu.conns {
		if c != nil {
			_ = c.SetDeadline(past())
		}
	}
}

// release takes the deadlines off again and lets go of the connections, so that a
// cancel that comes late does not reach into what the caller does with them.
func (n *negotiation) release() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, c := range n.mu.conns {
		if c != nil {
			_ = c.SetDeadline(time.Time{})
		}
		n.mu.conns[i] = nil
	}
}

// checkTime ends the run if the caller gave up or the time is over.
func (n *negotiation) checkTime() {
	n.mu.Lock()
	cancelled := n.mu.cancelled
	n.mu.Unlock()
	if cancelled != nil {
		panic(&halt{kind: KindCancelled, reason: "cancelled", err: cancelled})
	}
	if !time.Now().Before(n.end) {
		panic(&halt{kind: KindTime, reason: "not done after " + n.limits.Time.String()})
	}
}
