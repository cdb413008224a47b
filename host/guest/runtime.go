// Package guest runs the modules that hold a conversation before the relay starts.
//
// A [Runtime] loads modules. Loading checks that a module imports nothing but what
// abi names and the config grants, and rewrites it so that it counts what it spends
// (package meter). A [Module] then negotiates any number of connections at once, each
// in an instance of its own that is closed afterwards: an instance that served
// twice could carry one connection's secrets to another.
//
// A guest is hostile until proven otherwise. It gets no file, clock, socket or
// environment, only the calls of abi on the two streams of its connection. Its
// instructions, call depth, memory, host calls, plaintext and time are bounded, and
// whatever it does ends as an [Error] for its own connection.
package guest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// RuntimeOptions says how a Runtime runs modules. The zero value compiles, without
// a cache.
type RuntimeOptions struct {
	// CacheDir is a directory for compiled code; empty: none. It is created if it is
	// not there, and refused unless it is ours alone.
	CacheDir string

	// Interpreter runs modules without compiling them: slower by some factor, for
	// systems that forbid executable memory.
	Interpreter bool
}

// A Runtime loads modules and holds what they share. It is safe for concurrent use.
type Runtime struct {
	wazero  wazero.Runtime
	cache   wazero.CompilationCache // nil: none
	config  wazero.ModuleConfig
	memory  memoryPool
	buffers bufferPool
	wasi    wasiHost
	turns   chan struct{} // the places of guests that compute

	// running is held for reading by every run, and for writing by Close: wazero must
	// not be closed under a running instance.
	running sync.RWMutex
	closed  bool // guarded by running

	stop       chan struct{} // closed by Close, for the goroutines of background
	background sync.WaitGroup
}

// features are the parts of WebAssembly that guests may use: what package meter
// knows how to charge.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

// NewRuntime makes a Runtime. Close it when no module is needed any more.
func NewRuntime(ctx context.Context, o RuntimeOptions) (*Runtime, error) {
	config := wazero.NewRuntimeConfig() // compiles where the system lets it
	if o.Interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	// Debug information is an untrusted format of its own, that nothing here needs.
	config = config.WithCoreFeatures(features).WithMemoryLimitPages(MaxPages).WithDebugInfoEnabled(false)

	r := &Runtime{turns: newTurns(), stop: make(chan struct{})}
	if o.CacheDir != "" {
		if err := checkCacheDir(o.CacheDir); err != nil {
			return nil, err
		}
		cache, err := wazero.NewCompilationCacheWithDir(o.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("opening guestCache %q: %w", o.CacheDir, err)
		}
		r.cache = cache
		config = config.WithCompilationCache(cache)
	}
	r.wazero = wazero.NewRuntimeWithConfig(ctx, config)
	// Without a name instances do not meet in wazero's table of names, and without
	// start functions nothing runs but what this package calls. Guests cannot reach
	// wazero's source of random bytes; it is set because wazero else seeds one for each
	// instance, which costs 5 KB and as much time as all the rest.
	r.config = wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(rand.Reader)

	if err := r.addHostModules(ctx); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return r, nil
}

// Close frees all modules. It waits for runs to end: cancel their contexts first.
func (r *Runtime) Close(ctx context.Context) error {
	r.running.Lock()
	closed := r.closed
	r.closed = true
	r.running.Unlock()
	if closed {
		return nil
	}
	// Nothing new starts any more. What keeps warm instances closes them and ends.
	close(r.stop)
	r.background.Wait()
	err := r.wazero.Close(ctx)
	if r.cache != nil {
		err = errors.Join(err, r.cache.Close(ctx))
	}
	return err
}
