package service

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// A loader loads the guests of a configuration ahead of the services that ask for them,
// as many at once as there are processors: compiling them is most of what a start takes.
// Lines that name a guest in the same way share it. Each that was begun is asked for, or
// close waits for it.
type loader struct {
	runtime *guest.Runtime // nil when no service has a guest
	lines   map[lineKey]*line
	workers sync.WaitGroup
}

// A lineKey is the place of the config that names a guest: a service's protocol, or one of
// its policies.
type lineKey struct {
	service *config.Service
	policy  *config.Policy // nil: the protocol
}

// A line is what became of such a place.
type line struct {
	ref  guestRef
	bad  *config.Error // the guest was not found, and load is nil
	load *load
}

// A load is a guest on its way.
type load struct {
	name   string
	source guest.Source
	done   chan struct{} // closed when the others are set
	module *guest.Module
	err    error
}

// begin finds all guests that a configuration names and starts to load them. What is
// wrong with one is told when it is asked for.
func (l *loader) begin(ctx context.Context, c *config.Config, o Options) {
	var loads []*load
	shared := map[string]*load{}
	modes := map[string]guest.Modes{}
	l.lines = map[lineKey]*line{}
	add := func(ref guestRef) {
		n := &line{ref: ref, load: shared[ref.loadKey()]}
		l.lines[ref.key] = n
		if n.load == nil {
			source, bad := ref.find(c.Global.GuestPath)
			if bad != nil {
				n.bad = bad
				return
			}
			n.load = &load{name: ref.name, source: source, done: make(chan struct{})}
			shared[ref.loadKey()] = n.load
			loads = append(loads, n.load)
		}
		modes[ref.name] |= ref.mode()
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
	for _, n := range loads {
		n.source.Modes = modes[n.name] // where one name has several loads, they share their code
	}
	rt, err := guest.NewRuntime(ctx, guest.RuntimeOptions{CacheDir: c.Global.GuestCache, Interpreter: o.Interpreter})
	if err != nil {
		for _, n := range loads {
			n.err = err
			close(n.done)
		}
		return
	}
	l.runtime = rt
	l.start(ctx, loads, len(modes))
}

// loadKey tells loads apart: by all that a line says of how its guest is loaded.
func (ref guestRef) loadKey() string {
	return fmt.Sprintf("%q", []string{ref.option, ref.name, ref.label, ref.hash, fmt.Sprint(ref.pages), strings.Join(ref.allow, " ")})
}

// start loads guests of so many names, the largest first, so that no processor is left
// with it at the end. The same module again comes last: its code is there by then.
func (l *loader) start(ctx context.Context, loads []*load, names int) {
	times := map[string]int{}
	again := make(map[*load]int, len(loads))
	for _, n := range loads {
		again[n] = times[n.name]
		times[n.name]++
	}
	slices.SortStableFunc(loads, func(a, b *load) int {
		return cmp.Or(cmp.Compare(again[a], again[b]), cmp.Compare(len(b.source.Wasm), len(a.source.Wasm)))
	})
	processors := runtime.GOMAXPROCS(0)
	next := make(chan *load, len(loads))
	for _, n := range loads {
		n.source.Workers = max(1, processors/names)
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
	n.module, n.err = rt.Load(ctx, n.source)
	n.source.Wasm = nil // up to 16 MiB, which the Set would else hold for as long as it serves
}

// get waits for the guest of a line, and holds it to what the line says.
func (l *loader) get(at lineKey) (*guest.Module, *config.Error) {
	n := l.lines[at]
	if n.bad != nil {
		return nil, n.bad
	}
	<-n.load.done
	m, err := n.load.module, n.load.err
	if err == nil && n.ref.option == "protocol" {
		err = m.CheckMode(n.ref.mode())
	}
	if err != nil {
		return nil, n.ref.errorf("%v", err)
	}
	return m, n.ref.checkOptions(m.Info.Manifest)
}

// close waits for what was begun, and frees the guests.
func (l *loader) close(ctx context.Context) error {
	l.workers.Wait()
	if l.runtime == nil {
		return nil
	}
	return l.runtime.Close(ctx)
}
