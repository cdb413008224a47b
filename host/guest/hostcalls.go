package guest

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
)

// A call is one call of the host by a guest.
type call struct {
	*negotiation
	ctx    context.Context // of this call alone
	name   string
	memory api.Memory
	stack  []uint64 // parameters, then results
}

// i32 is a parameter.
func (c call) i32(i int) int32 { return int32(uint32(c.stack[i])) }

// bytes is the guest's memory that the parameters i and i+1 name, valid until the
// call returns. A guest that names memory which it does not have is broken, or
// probing, and is stopped: an error code would be one more thing to ignore.
func (c call) bytes(i int) []byte { return c.at(uint32(c.stack[i]), uint32(c.stack[i+1])) }

// at is the guest's memory at an address that it gave.
func (c call) at(at, size uint32) []byte {
	b, ok := c.memory.Read(at, size)
	if !ok {
		panic(&halt{kind: KindPointer, reason: fmt.Sprintf("%s: pointer out of range: %d bytes at %d, memory has %d",
			c.name, size, at, c.memory.Size())})
	}
	return b
}

// copyOut gives a value to the buffer that the parameters i and i+1 name, as much as fits.
func (c call) copyOut(value string, i int) abi.Code {
	c.move(copy(c.bytes(i), value))
	return abi.Code(len(value))
}

// hostCalls are the functions of [abi.ImportModule] that exist. A result of a
// function that has none is ignored.
func hostCalls() map[string]func(call) abi.Code {
	return map[string]func(call) abi.Code{
		"read":       (call).doRead,
		"read_full":  (call).doReadFull,
		"read_line":  (call).doReadLine,
		"peek":       (call).doPeek,
		"write":      (call).doWrite,
		"wait":       (call).doWait,
		"connect":    (call).doConnect,
		"starttls":   (call).doStartTLS,
		"config":     (call).doConfig,
		"secret":     (call).doSecret,
		"info":       (call).doInfo,
		"annotate":   (call).doAnnotate,
		"log":        (call).doLog,
		"fail":       (call).doFail,
		"random":     (call).doRandom,
		"now":        (call).doNow,
		"set_target": (call).doSetTarget,
		"resolve":    (call).doResolve,
		"digest":     (call).doDigest,
		"set_alpn":   (call).doSetALPN,
		"fact":       (call).doFact,
	}
}

// addHostModules instantiates what guests import, once for all of them: a call
// finds its negotiation through the context that the run was started with.
func (r *Runtime) addHostModules(ctx context.Context) error {
	b := r.wazero.NewHostModuleBuilder(abi.ImportModule)
	for _, f := range abi.Functions {
		do, ok := hostCalls()[f.Name]
		if !ok {
			continue
		}
		wide := f.Results == "I"
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, guest api.Module, stack []uint64) {
			n := ctx.Value(negotiationKey{}).(*negotiation)
			n.count()
			n.onlyRunning()
			if code := n.fault(f); code != 0 {
				stack[0] = api.EncodeI32(int32(code))
				return
			}
			result := do(call{negotiation: n, ctx: ctx, name: f.Name, memory: guest.Memory(), stack: stack})
			if !wide && f.Results != "" {
				stack[0] = api.EncodeI32(int32(result))
			}
		}), valueTypes(f.Params), valueTypes(f.Results)).Export(f.Name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("setting up %s: %w", abi.ImportModule, err)
	}

	m := r.wazero.NewHostModuleBuilder(meter.ImportModule)
	m.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
		n := ctx.Value(negotiationKey{}).(*negotiation)
		stack[0] = uint64(n.refill(int64(stack[0])))
	}), valueTypes("I"), valueTypes("I")).Export(meter.Refill)
	m.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(context.Context, api.Module, []uint64) {
		panic(&halt{kind: KindDepth, reason: "calls nest too deep"})
	}), nil, nil).Export(meter.Overflow)
	if _, err := m.Instantiate(ctx); err != nil {
		return fmt.Errorf("setting up %s: %w", meter.ImportModule, err)
	}
	return nil
}

func valueTypes(letters string) []api.ValueType {
	var ts []api.ValueType
	for _, t := range types(letters) {
		ts = append(ts, api.ValueType(t))
	}
	return ts
}

// onlyRunning ends a run that makes an image of its module, if the guest does what
// belongs to a connection.
func (n *negotiation) onlyRunning() {
	if n.imaging {
		panic(&halt{kind: KindInternal, reason: "it calls the host while it initializes"})
	}
}

// fault is what the host has a call fail with, if it is a Faulter.
func (n *negotiation) fault(f abi.Function) abi.Code {
	if n.faulter == nil || f.Results != "i" {
		return 0
	}
	return n.faulter.Fault(f.Name, n.calls)
}

// count ends a run that calls the host too often: a guest that only calls spends
// our time, not its fuel.
func (n *negotiation) count() {
	n.work(callWork)
	n.calls++
	if n.calls > n.limits.Calls {
		panic(&halt{kind: KindCalls, reason: fmt.Sprintf("more than %d host calls", n.limits.Calls)})
	}
}

// refill grants the next slice to a guest whose fuel went below zero. It is where
// compiled code comes back to Go after each slice: garbage collection gets its
// turn, and other goroutines do, even if guests spin on all processors.
func (n *negotiation) refill(fuel int64) int64 {
	if n.fuel > 0 {
		n.yield() // the first slice, which is all that most guests take, needs no turn
	}
	left := n.limits.Fuel - n.fuel
	debt := uint64(-fuel)
	if debt > left {
		panic(&halt{kind: KindFuel, reason: fmt.Sprintf("more than %d instructions", n.limits.Fuel)})
	}
	grant := min(left, max(slice, debt))
	n.fuel += grant
	return int64(grant - debt)
}
