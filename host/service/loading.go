package service

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// A loader loads the guests of a configuration ahead of the services that ask for them,
// as many at once as there are processors: compiling them is most of what a start takes.
// Each that was begun is asked for, or close waits for it.
type loader struct {
	runtime *guest.Runtime // nil when no service has a guest
	loads   map[lineKey]*load
	workers sync.WaitGroup
}

// A lineKey is the place of the config that names a guest: a service's protocol, or one of
// its policies.
type lineKey struct {
	service *config.Service
	policy  *config.Policy // nil: the protocol
}

// A load is a guest on its way.
type load struct {
	ref    guestRef
	source guest.Source
	done   chan struct{} // closed when the others are set
	module *guest.Module
	bad    *config.Error
}

// begin finds all guests that a configuration names and starts to load them. What is
// wrong with one is told when it is asked for.
func (l *loader) begin(ctx context.Context, c *config.Config, o Options) {
	var loads []*load
	l.loads = map[lineKey]*load{}
	add := func(ref guestRef) {
		n := &load{ref: ref, done: make(chan struct{})}
		l.loads[ref.key] = n
		if n.source, n.bad = ref.find(c.Global.GuestPath); n.bad == nil {
			loads = append(loads, n)
		} else {
			close(n.done)
		}
	}
	for _, sc := range c.Services {
		if sc.Protocol != "" && (o.Native == nil || o.Native(sc.Protocol) == nil) {
			add(protocolLine(sc))
		}
		for i := range sc.Policies {
			add(policyLine(sc, &sc.Policies[i]))
		}
	}
	if len(loads) == 0 {
		return
	}
	rt, err := guest.NewRuntime(ctx, guest.RuntimeOptions{CacheDir: c.Global.GuestCache, Interpreter: o.Interpreter})
	if err != nil {
		for _, n := range loads {
			n.bad = n.ref.errorf("%v", err)
			close(n.done)
		}
		return
	}
	l.runtime = rt
	l.start(ctx, loads)
}

// start loads guests, the largest first, so that no processor is left with it at the
// end. The same module again comes last: its code is there by then.
func (l *loader) start(ctx context.Context, loads []*load) {
	times := map[string]int{}
	again := make(map[*load]int, len(loads))
	for _, n := range loads {
		again[n] = times[n.ref.name]
		times[n.ref.name]++
	}
	slices.SortStableFunc(loads, func(a, b *load) int {
		return cmp.Or(cmp.Compare(again[a], again[b]), cmp.Compare(len(b.source.Wasm), len(a.source.Wasm)))
	})
	processors := runtime.GOMAXPROCS(0)
	modes := map[string]guest.Modes{}
	for _, n := range loads {
		modes[n.ref.name] |= n.ref.mode()
	}
	for _, n := range loads {
		n.source.Workers = max(1, processors/len(times))
		n.source.Modes = modes[n.ref.name] // all have the same code
	}
	next := make(chan *load, len(loads))
	for _, n := range loads {
		next <- n
	}
	close(next)
	for range min(processors, len(loads)) {
		l.workers.Go(func() {
			for n := range next {
				n.run(ctx, l.runtime)
			}
		})
	}
}

// run loads a guest.
func (n *load) run(ctx context.Context, rt *guest.Runtime) {
	defer close(n.done)
	m, err := rt.Load(ctx, n.source)
	n.source.Wasm = nil // up to 16 MiB, which the Set would else hold for as long as it serves
	if err != nil {
		n.bad = n.ref.errorf("%v", err)
		return
	}
	if n.ref.option == "protocol" {
		if err := m.CheckMode(n.ref.mode()); err != nil {
			n.bad = n.ref.errorf("%v", err)
			return
		}
	}
	n.module, n.bad = m, n.ref.checkOptions(m.Info.Manifest)
}

// get waits for the guest of a line.
func (l *loader) get(at lineKey) (*guest.Module, *config.Error) {
	n := l.loads[at]
	<-n.done
	return n.module, n.bad
}

// close waits for what was begun, and frees the guests.
func (l *loader) close(ctx context.Context) error {
	l.workers.Wait()
	if l.runtime == nil {
		return nil
	}
	return l.runtime.Close(ctx)
}
