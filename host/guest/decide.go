package guest

import (
	"context"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// DecideTime is how long one decision may take at most, whatever Limits.Time says: a
// policy waits for nobody, it computes.
const DecideTime = 5 * time.Second

// Decide asks a policy, in an instance of its own. Nil allows; an *[Error] of
// KindRefusal denies, with the policy's sentence as its reason. Whatever else went
// wrong is an *[Error] of another kind, and no permission either.
//
// Of the host it uses what has no streams: Accepted, Connect, StartTLS and Resolve are
// not called.
func (m *Module) Decide(ctx context.Context, h Host, l Limits) error {
	if !m.Info.Decides {
		return m.errorf(KindLoad, "it does not export %q", abi.ExportDecide)
	}
	if l.Time == 0 || l.Time > DecideTime {
		l.Time = DecideTime
	}
	n := m.newNegotiation(l)
	n.host, n.config, n.logTo = h, h.Config, h.Log
	n.faulter, _ = h.(Faulter)
	stop := context.AfterFunc(ctx, func() { n.cancel(context.Cause(ctx)) })
	defer stop()
	if err := n.run(ctx, abi.ExportDecide); err != nil {
		return err
	}
	return nil
}
