package guest

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// An Outcome is what a negotiation leaves to the relay. Arrays are indexed by [abi.Side].
type Outcome struct {
	// Conns are the streams as they are now, nil for an outgoing side that the guest
	// did not connect.
	Conns [2]net.Conn

	// TLS tells which sides are encrypted.
	TLS [2]bool

	// Unread was received on that side but not handed to the guest: it comes before
	// what the connection gives next. If the caller itself starts TLS on a side, the
	// side's bytes belong to the handshake. Relayed around it they would be plaintext
	// that passes for protected (CVE-2011-0411).
	Unread [2][]byte

	Fuel  uint64 // granted to the guest, in slices
	Calls int    // of the host
	Pages uint32 // 64 KiB pages of memory that the guest had at the end
}

// Negotiate runs the guest on the host's connections, in an instance of its own.
//
// It closes no connection: whoever made one does, after an error too. No deadline of
// its own is left on them. The error is an *[Error].
func (m *Module) Negotiate(ctx context.Context, h Host, l Limits) (*Outcome, error) {
	export, failure := m.negotiation(modeOf(h.Config))
	if failure != nil {
		return nil, failure
	}
	n := m.newNegotiation(l)
	n.host, n.config, n.logTo = h, h.Config, h.Log
	n.faulter, _ = h.(Faulter)
	n.adopt(abi.Accepted, h.Accepted())
	stop := context.AfterFunc(ctx, func() { n.cancel(context.Cause(ctx)) })
	err := n.run(ctx, export)
	stop()
	n.release()
	defer n.dropBuffers()
	if err != nil {
		return nil, err
	}
	o := &Outcome{Fuel: n.fuel, Calls: n.calls, Pages: n.pages}
	for i := range n.sides {
		s := &n.sides[i]
		o.Conns[i], o.TLS[i] = s.conn, s.tls
		o.Unread[i] = slices.Clone(s.unread())
	}
	return o, nil
}

// Configure runs the guest's configure, if it exports one, with config, log and fail
// alone, for at most a second. A guest that refuses its options gives an *[Error] of
// KindRefusal.
func (m *Module) Configure(ctx context.Context, config func(key string) (string, bool), log func(severity int, text string), l Limits) error {
	if !m.Info.Configures {
		return nil
	}
	if l.Time == 0 || l.Time > configureTime {
		l.Time = configureTime
	}
	n := m.newNegotiation(l)
	n.config, n.logTo = config, log
	stop := context.AfterFunc(ctx, func() { n.cancel(context.Cause(ctx)) })
	defer stop()
	if err := n.run(ctx, abi.ExportConfigure); err != nil {
		return err
	}
	return nil
}

func (m *Module) newNegotiation(l Limits) *negotiation {
	l = l.withDefaults()
	now := time.Now()
	return &negotiation{module: m, limits: l, start: now, end: now.Add(l.Time), clockBase: m.clockBase}
}

// dropBuffers gives the streams' buffers back.
func (n *negotiation) dropBuffers() {
	for i := range n.sides {
		if b := n.sides[i].buf; b != nil {
			n.module.runtime.buffers.put(b)
			n.sides[i].buf = nil
		}
	}
}

// run calls an export in a fresh instance and judges how that ended.
func (n *negotiation) run(ctx context.Context, export string) *Error {
	m := n.module
	// Not RLock: a policy decides within a negotiation that holds the lock already, and
	// would wait for a Close that waits for the negotiation.
	if !m.runtime.running.TryRLock() {
		return m.errorf(KindInternal, "the runtime is being closed")
	}
	defer m.runtime.running.RUnlock()
	if m.runtime.closed || !m.enter() {
		return m.errorf(KindInternal, "the module is closed")
	}
	defer m.leave(ctx)

	if pages := m.minPages(); pages > n.limits.Pages {
		return m.errorf(KindLoad, "its memory begins with %d pages of 64 KiB, the limit is %d", pages, n.limits.Pages)
	}
	result, err := n.call(ctx, export)
	if err != nil {
		return err
	}
	return n.judge(export, result)
}

// call runs an export of the type () -> i32 in an instance of its own.
func (n *negotiation) call(ctx context.Context, export string) (result int32, failure *Error) {
	m := n.module
	ctx = context.WithValue(ctx, negotiationKey{}, n)
	defer n.flush()
	defer n.pause()
	defer func() {
		// wazero recovers what happens in a call, but not in the making of an instance.
		// One guest's connection is lost to that, not the process.
		if r := recover(); r != nil {
			failure = m.errorf(KindInternal, "panic: %s", printable(fmt.Sprint(r), maxReason))
			failure.Trace = string(debug.Stack())
		}
	}()
	i, err := m.take(ctx, uint64(n.limits.Pages)*pageSize)
	if err != nil {
		return 0, m.errorOf(err)
	}
	defer i.close(ctx)
	if err := n.initialize(ctx, i); err != nil {
		return 0, m.errorOf(err)
	}
	var stack [1]uint64
	if err := i.ExportedFunction(export).CallWithStack(ctx, stack[:]); err != nil {
		return 0, m.errorOf(err)
	}
	if memory := i.Memory(); memory != nil {
		n.pages = memory.Size() / pageSize
	}
	return int32(uint32(stack[0])), nil
}

// initialize runs the toolchain's start-up, if there is one that the instance does not
// have behind it.
func (n *negotiation) initialize(ctx context.Context, i *instance) error {
	if !n.module.Info.Initializes || i.initialized {
		return nil
	}
	n.initializing = true
	defer func() { n.initializing = false }()
	return i.ExportedFunction(abi.ExportInitialize).CallWithStack(ctx, nil)
}

// judge turns what an export returned into the error that it means.
func (n *negotiation) judge(export string, result int32) *Error {
	m := n.module
	if n.spent {
		return m.errorf(KindClear, "more than %d plaintext bytes on one side", n.limits.Clear)
	}
	for side := range n.sides {
		if result == 0 && n.sides[side].dead {
			e := m.errorf(KindRefusal, "it went on after the %s side's handshake failed", abi.Side(side))
			e.Class, e.Err = abi.FailInternal, n.cause
			return e
		}
	}
	if result == 0 {
		return nil
	}
	e := m.errorf(KindRefusal, "%s", n.sentence)
	e.Class, e.Err = n.class, n.cause
	if !n.failed {
		e.Reason, e.Class = fmt.Sprintf("%s returned %d", export, result), abi.FailInternal
		if name := codeName(abi.Code(result)); name != "" {
			e.Reason += " (" + name + ")"
		}
	}
	return e
}
