package guest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
)

// A Source is a module to load.
type Source struct {
	Name    string           // for errors and logs
	Wasm    []byte           // not kept
	Role    Role             // what it is loaded for
	Modes   Modes            // those of the services, for a protocol
	Prefix  string           // of the values of guestAllow that are for it, as a policy has them: "NAME."
	Bundled bool             // it comes with this program
	Workers int              // processors to compile it with, if it is bundled; 0: one
	Hash    string           // the SHA-256 in hex that it must have; empty: any
	Allow   []abi.Capability // what the config grants
	Pages   uint32           // the memory limit that it will run under, 64 KiB pages; 0: DefaultPages
}

// A Module is a guest that can run: checked, metered and compiled. It is safe for
// concurrent use.
type Module struct {
	Name string
	Hash string // SHA-256 of what was loaded, in hex
	Info Info

	runtime  *Runtime
	compiled wazero.CompiledModule
	allow    []abi.Capability
	uncalled []string // exports that were left out
	image    *image   // what instances begin with; nil: what compiled says
	warm     warm
	seed     [32]byte // of what random_get gives without the capability

	// clockBase is where the clocks of instances begin that have _initialize behind
	// them: a clock that went back would confuse their runtime.
	clockBase time.Duration

	life struct {
		sync.Mutex
		running int
		closed  bool
	}
}

// Info says what a module is and asks for.
type Info struct {
	Size         int              // bytes
	Functions    int              // that it defines
	Imports      []string         // names within stunnel1
	Exports      []string         // names, in the module's order
	Features     []string         // of WebAssembly beyond 1.0 that it uses
	WASI         []string         // names within wasi_snapshot_preview1; see WASIDoc
	Capabilities []abi.Capability // that its imports need
	MinPages     uint32           // 64 KiB pages that every instance starts with
	MaxPages     uint32           // that it says it will ever use
	Negotiates   bool             // it exports negotiate, or half of it: a protocol
	Decides      bool             // it exports decide: a policy
	Configures   bool             // it exports configure
	Initializes  bool             // it exports _initialize
	Plain        string           // why _initialize runs in every instance, and not once when it is loaded; empty: it does not
	Manifest     []byte           // its custom section stunnel.manifest; documentation only
	CompileCost  float64          // estimated, as a part of what is allowed
}

// Load checks and compiles a module. The error is an *[Error] that names the guest,
// the place and the reason.
func (r *Runtime) Load(ctx context.Context, s Source) (*Module, error) {
	sum := sha256.Sum256(s.Wasm)
	m := &Module{
		Name: printable(s.Name, maxName), Hash: hex.EncodeToString(sum[:]),
		runtime: r, allow: slices.Clone(s.Allow), uncalled: uncalled(s.Role, s.Modes),
	}
	// Before anything reads the bytes: a module that was replaced is not even parsed.
	if s.Hash != "" && !strings.EqualFold(s.Hash, m.Hash) {
		return nil, m.errorf(KindHash, "the module's SHA-256 is %s, the config pins %s", m.Hash, printable(s.Hash, maxPlace))
	}
	metered, facts, err := meter.Rewrite(s.Wasm, meter.Options{Detach: abi.ExportInitialize, Uncalled: m.uncalled})
	if err != nil {
		return nil, m.loadError(err)
	}
	needs, refused := checkImports(facts.Imports, s.Allow, s.Prefix)
	if len(refused) > 0 {
		return nil, m.errorf(KindImport, "%s", strings.Join(refused, "; "))
	}
	if err := m.checkExports(facts); err != nil {
		return nil, err
	}
	if err := m.checkRole(s.Role, facts); err != nil {
		return nil, err
	}
	pages := Limits{Pages: s.Pages}.withDefaults().Pages
	if facts.Memory.Min > pages {
		return nil, m.errorf(KindLoad, "its memory begins with %d pages of 64 KiB, the limit is %d: raise \"guestMemory\"", facts.Memory.Min, pages)
	}
	m.describe(facts, needs)

	r.running.RLock()
	defer r.running.RUnlock()
	if r.closed {
		return nil, m.errorf(KindInternal, "the runtime is closed")
	}
	if len(m.Info.WASI) > 0 {
		_, _ = rand.Read(m.seed[:]) // which never fails: it ends the process instead
		if err := r.addWASI(ctx); err != nil {
			return nil, m.errorf(KindInternal, "%v", err)
		}
	}
	if m.compiled, err = r.compile(ctx, metered, s); err != nil {
		return nil, m.errorf(KindLoad, "the module is not valid: %s", printable(err.Error(), maxReason))
	}
	if facts.State != nil {
		m.makeImage(ctx, facts, pages)
	}
	return m, nil
}

// compile makes machine code. A module that the engine panics on is refused, and does
// not end the daemon that reloads its configuration. Only a bundled module is compiled
// by several goroutines: a panic in one of those that the engine starts could not be
// caught.
func (r *Runtime) compile(ctx context.Context, wasm []byte, s Source) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the engine panicked: %v", p)
		}
	}()
	if s.Bundled && s.Workers > 1 {
		ctx = experimental.WithCompilationWorkers(ctx, s.Workers)
	}
	return r.wazero.CompileModule(ctx, wasm)
}

// loadError is the error for a module that package meter refuses.
func (m *Module) loadError(err error) *Error {
	e := m.errorf(KindLoad, "%s", printable(err.Error(), maxReason))
	if bad, ok := errors.AsType[*meter.Error](err); ok {
		e.Reason = fmt.Sprintf("%s, at offset %#x", printable(bad.Reason, maxReason), bad.Offset)
		e.Place = printable(bad.Place, maxPlace)
	}
	return e
}

// checkExports refuses a module without what the host calls. The host's own functions
// do not count: a guest that exports an import again would have the host call itself,
// outside of any instance's limits.
func (m *Module) checkExports(facts *meter.Module) error {
	if !facts.Memory.Present || facts.Memory.Imported {
		return m.errorf(KindLoad, "it has no memory of its own")
	}
	if e, ok := facts.Export(abi.ExportMemory); !ok || e.Kind != meter.KindMemory {
		return m.errorf(KindLoad, "it does not export its memory as %q", abi.ExportMemory)
	}
	for _, want := range []struct{ name, results string }{
		{abi.ExportNegotiate, "i"}, {abi.ExportNegotiateServer, "i"}, {abi.ExportNegotiateClient, "i"},
		{abi.ExportDecide, "i"}, {abi.ExportConfigure, "i"}, {abi.ExportInitialize, ""},
	} {
		e, ok := facts.Export(want.name)
		if !ok {
			continue
		}
		if e.Kind != meter.KindFunction {
			return m.errorf(KindLoad, "its export %q is a %s, want a function", want.name, e.Kind)
		}
		if int(e.Index) < len(facts.Imports) {
			return m.errorf(KindLoad, "its export %q is an import", want.name)
		}
		if got, want2 := meter.Signature(e.Params, e.Results), meter.Signature(nil, types(want.results)); got != want2 {
			return m.errorf(KindLoad, "its export %q has type %s, want %s", want.name, got, want2)
		}
	}
	return nil
}

func (m *Module) describe(facts *meter.Module, needs []abi.Capability) {
	has := func(names ...string) bool { return exported(facts, names...) != "" }
	initializes := has(abi.ExportInitialize)
	manifest, _ := facts.Custom(abi.ManifestSection)
	m.Info = Info{
		Size: facts.Size, Functions: facts.Functions, Capabilities: needs,
		MinPages: facts.Memory.Min, MaxPages: facts.Memory.Max,
		Negotiates: has(abi.Negotiations...), Decides: has(abi.ExportDecide),
		Configures: has(abi.ExportConfigure), Initializes: initializes, Manifest: slices.Clone(manifest),
	}
	m.Info.Features, m.Info.CompileCost = facts.Features, facts.CompileCost()
	if initializes {
		m.Info.Plain = facts.Attached
	}
	for _, i := range facts.Imports {
		if i.Module == wasiModule {
			m.Info.WASI = append(m.Info.WASI, i.Name)
			continue
		}
		m.Info.Imports = append(m.Info.Imports, i.Name)
	}
	for _, e := range facts.Exports {
		m.Info.Exports = append(m.Info.Exports, e.Name)
	}
}

// Close lets go of the compiled code once the last run that uses it has ended, and of
// instances that wait for one.
func (m *Module) Close(ctx context.Context) error {
	m.life.Lock()
	defer m.life.Unlock()
	if m.life.closed {
		return nil
	}
	m.life.closed = true
	m.warm.end()
	if m.life.running > 0 {
		return nil
	}
	return m.free(ctx)
}

// free lets go of what all instances share.
func (m *Module) free(ctx context.Context) error {
	if m.image != nil {
		m.image.close()
	}
	return m.compiled.Close(ctx)
}

// enter counts a run, and says whether the module is still open.
func (m *Module) enter() bool {
	m.life.Lock()
	defer m.life.Unlock()
	if m.life.closed {
		return false
	}
	m.life.running++
	return true
}

// leave ends a run that enter counted.
func (m *Module) leave(ctx context.Context) {
	m.life.Lock()
	defer m.life.Unlock()
	m.life.running--
	if m.life.closed && m.life.running == 0 {
		// Compiled code lives in memory alone: freeing it has nothing to fail at.
		_ = m.free(ctx)
	}
}
