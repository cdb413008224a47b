package meter

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// FuzzDecode feeds any bytes. What is accepted has to stay a module that the engine
// accepts, if it was one.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) == 0 {
		f.Fatal("no modules in testdata", err)
	}
	for _, name := range files {
		f.Add(sample(f, strings.TrimSuffix(filepath.Base(name), ".wasm")))
	}
	f.Add(generate(nil, genFuncs))
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		out, m, err := Rewrite(wasm, Options{})
		if err != nil {
			return
		}
		if _, ok := m.Custom("name"); ok {
			return // the engine allocates what a name section claims
		}
		plain, err := r.CompileModule(ctx, wasm)
		if err != nil {
			return
		}
		defer plain.Close(ctx)
		metered, err := r.CompileModule(ctx, out)
		if err != nil {
			t.Fatalf("the engine accepts % x, but not as % x: %v", wasm, out, err)
		}
		metered.Close(ctx)
	})
}

// An outcome is all that can be seen of a run.
type outcome struct {
	results []uint64
	trap    string // the first line
	memory  []byte
	global  uint64
	count   uint64 // of a counting module
	fuel    int64  // that a metered module was left with; negative: what it owes
}

// run instantiates a module, calls a function and collects what came of it.
func run(t *testing.T, r wazero.Runtime, c wazero.CompiledModule, name string, args ...uint64) outcome {
	t.Helper()
	ctx := context.Background()
	m, err := r.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatalf("instantiating: %v", err)
	}
	defer m.Close(ctx)
	var o outcome
	o.results, err = m.ExportedFunction(name).Call(ctx, args...)
	if err != nil {
		o.trap, _, _ = strings.Cut(err.Error(), "\n")
	}
	memory, _ := m.Memory().Read(0, m.Memory().Size())
	o.memory = slices.Clone(memory)
	o.global = m.ExportedGlobal("g").Get()
	if g := m.ExportedGlobal("count"); g != nil {
		o.count = g.Get()
	}
	if g := m.ExportedGlobal("fuel"); g != nil {
		o.fuel = int64(g.Get())
	}
	return o
}

// same compares all but the count and the fuel.
func (o outcome) same(p outcome) bool {
	return slices.Equal(o.results, p.results) && o.trap == p.trap && bytes.Equal(o.memory, p.memory) && o.global == p.global
}

// A rig runs modules on one engine.
type rig struct {
	name    string
	runtime wazero.Runtime
	tank    *tank
}

// rigs sets up both engines.
func rigs(t testing.TB) []rig {
	var l []rig
	for _, e := range engines {
		k := &tank{}
		l = append(l, rig{e.name, newRuntime(t, e.config().WithCoreFeatures(features), k), k})
	}
	return l
}

// compile compiles a module until the test ends.
func (r rig) compile(t *testing.T, wasm []byte) wazero.CompiledModule {
	t.Helper()
	c, err := r.runtime.CompileModule(context.Background(), wasm)
	if err != nil {
		t.Fatalf("%s: compiling: %v", r.name, err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// agrees runs a generated module in all ways and compares them: with all functions
// exported, so that each asks for fuel, and with the first alone, so that few do; and with
// all exports but one left out, which it must not notice. It returns how many instructions
// ran.
func agrees(t *testing.T, rigs []rig, data []byte) (ran uint64) {
	t.Helper()
	return agreesWith(t, rigs, data, genFuncs) + agreesWith(t, rigs, data, 1)
}

func agreesWith(t *testing.T, rigs []rig, data []byte, exported int) (ran uint64) {
	t.Helper()
	wasm := generate(data, exported)
	metered := showFuel(t, rewrite(t, wasm, Options{}))
	lone, others := len(data)%exported, []string(nil)
	for f := range exported {
		if f != lone {
			others = append(others, string(rune('a'+f)))
		}
	}
	alone := showFuel(t, rewrite(t, wasm, Options{Uncalled: others}))
	args := []uint64{uint64(len(data)), 1 << 40}
	var fuel [genFuncs]int64
	for i, r := range rigs {
		plain, metered, counting := r.compile(t, wasm), r.compile(t, metered), r.compile(t, counting(t, wasm))
		for f := range exported {
			name := string(rune('a' + f))
			*r.tank = tank{budget: 2_000_000} // without a slice every unit is asked for
			got := run(t, r.runtime, metered, name, args...)
			if strings.Contains(got.trap, errFuel.Error()) {
				return ran
			}
			used := r.tank.granted - got.fuel
			want := run(t, r.runtime, plain, name, args...)
			if !got.same(want) {
				t.Fatalf("%s, function %s: metered %v, %q, global %d; plain %v, %q, global %d; memory equal: %v",
					r.name, name, got.results, got.trap, got.global, want.results, want.trap, want.global, bytes.Equal(got.memory, want.memory))
			}
			if f == lone {
				*r.tank = tank{budget: 2_000_000}
				got := run(t, r.runtime, r.compile(t, alone), name, args...)
				if used2 := r.tank.granted - got.fuel; !got.same(want) || used2 != used {
					t.Fatalf("%s, function %s: %v, %q with %d units without the other exports; %v, %q with %d beside them",
						r.name, name, got.results, got.trap, used2, want.results, want.trap, used)
				}
			}
			if i == 0 {
				fuel[f] = used
			} else if used != fuel[f] {
				t.Fatalf("function %s used %d units on one engine, %d on the other", name, fuel[f], used)
			}
			// Counted one by one, no more instructions run than were paid for.
			counted := run(t, r.runtime, counting, name, args...)
			if !counted.same(want) {
				t.Fatalf("%s, function %s: the counting module behaves otherwise", r.name, name)
			}
			if counted.count > uint64(used) {
				t.Fatalf("%s, function %s ran %d instructions for %d units", r.name, name, counted.count, used)
			}
			ran += counted.count
		}
	}
	return ran
}

// showFuel exports the fuel of a generated module that was metered: the global behind its
// only one.
func showFuel(t *testing.T, metered []byte) []byte {
	t.Helper()
	var m Module
	if err := m.split(metered); err != nil {
		t.Fatal(err)
	}
	out := []byte(header)
	for _, id := range sectionOrder {
		r := m.sections[id]
		if r == nil {
			continue
		}
		w := &rewriter{}
		if w.out = r.b; id == secExport {
			w.out = nil
			w.extend(r, 1)
			w.out = append(appendName(w.out, "fuel"), byte(KindGlobal), 1)
		}
		out = appendBytes(append(out, id), w.out)
	}
	return out
}

// counting rewrites a module so that it counts each instruction when it runs, in an
// exported global: the slow and plain way to meter, for comparison.
func counting(t *testing.T, wasm []byte) []byte {
	t.Helper()
	m, err := Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	out := []byte(header)
	for _, id := range sectionOrder {
		r := m.sections[id]
		if r == nil {
			continue
		}
		r = &reader{b: r.b}
		w := &rewriter{m: m}
		switch id {
		case secGlobal:
			w.extend(r, 1)
			w.out = append(w.out, byte(I64), 1, opI64Const, 0, opEnd)
		case secExport:
			w.extend(r, 1)
			w.out = append(appendName(w.out, "count"), byte(KindGlobal), byte(m.globals))
		case secCode:
			w.number(uint32(len(m.bodies)))
			for _, b := range m.bodies {
				body := slices.Clone(b.raw[:b.code])
				code := &reader{b: b.raw, pos: b.code}
				for code.rest() > 0 {
					in := m.next(code)
					if in.op != opElse { // it stands where its if's first arm ends
						body = append(body, opGlobalGet, byte(m.globals), opI64Const, 1, 0x7c, opGlobalSet, byte(m.globals))
					}
					body = append(body, b.raw[in.start:code.pos]...)
				}
				w.out = appendBytes(w.out, body)
			}
		default:
			w.out = r.b
		}
		out = appendBytes(append(out, id), w.out)
	}
	return out
}

// FuzzRewriteAgrees compares generated modules with their metered form, on both
// engines: results, traps, memory; and the fuel that both engines used with each other
// and with the instructions that ran. The engine's coverage differs from run to run, so
// that minimizing never ends: give go test -fuzzminimizetime=5x.
func FuzzRewriteAgrees(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(randomBytes(seed, 200))
	}
	rigs := rigs(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1000 {
			return
		}
		agrees(t, rigs, data)
	})
}

// TestRewriteAgrees is the fuzz test on a fixed set of larger inputs.
func TestRewriteAgrees(t *testing.T) {
	rigs := rigs(t)
	var ran uint64
	for seed := range uint64(300) {
		ran += agrees(t, rigs, randomBytes(seed, 800))
	}
	// A generator whose modules trap at once would prove nothing.
	if ran < 100_000 {
		t.Errorf("only %d instructions ran", ran)
	}
}

// randomBytes are the same for the same seed.
func randomBytes(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	b := make([]byte, n)
	r.Read(b)
	return b
}
