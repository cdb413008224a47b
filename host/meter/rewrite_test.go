package meter

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

func TestBounded(t *testing.T) {
	for _, test := range []struct {
		name   string
		module string
		args   []uint64
		want   error
	}{
		{"loop", "loop", nil, errFuel},
		{"recursion", "recurse", []uint64{0}, errOverflow},
		{"recursion through a table", "mutual", []uint64{0}, errOverflow},
		{"doubling without a loop", "fork", []uint64{60}, errFuel},
		{"fill in a loop", "fill", nil, errFuel},
		{"fill of 4 GiB", "fillonce", []uint64{math.MaxUint32}, errFuel},
		{"memory.grow to the end", "bulk", []uint64{7, math.MaxUint32}, errFuel},
		{"table.grow to the end", "bulk", []uint64{6, math.MaxUint32}, errFuel},
		{"table.fill", "bulk", []uint64{3, math.MaxUint32}, errFuel},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
				k := newTank(1_000_000)
				m := start(t, newRuntime(t, c, k), rewrite(t, sample(t, test.module), Options{}))
				_, err := m.ExportedFunction("run").Call(context.Background(), test.args...)
				if !errors.Is(err, test.want) {
					t.Fatalf("got %v, want %v", err, test.want)
				}
			})
		})
	}
}

func TestResults(t *testing.T) {
	f64 := math.Float64bits
	for _, test := range []struct {
		name string
		args []uint64
		want []uint64
	}{
		{"count", []uint64{100}, nil},
		{"fork", []uint64{10}, []uint64{1024}},
		{"values", []uint64{0}, []uint64{6, 10, f64(0.5)}},
		{"values", []uint64{1}, []uint64{1, 11, f64(1.5)}},
		{"values", []uint64{2}, []uint64{2, 12, f64(2.5)}},
		{"values", []uint64{99}, []uint64{2, 12, f64(2.5)}},
		{"refs", []uint64{0}, []uint64{7}},
		{"refs", []uint64{1}, []uint64{8}},
		{"refs", []uint64{2}, []uint64{9}},
		{"refs", []uint64{4}, []uint64{10}},
		{"refs", []uint64{5}, []uint64{8}},
		{"refs", []uint64{6}, []uint64{9}},
		{"refs", []uint64{7}, []uint64{10}},
		{"refs", []uint64{8}, []uint64{11}},
		{"refs", []uint64{9}, []uint64{12}},
		{"refs", []uint64{10}, []uint64{9}},
		{"refs", []uint64{11}, []uint64{10}},
		{"refs", []uint64{12}, []uint64{8}},
		{"start", nil, []uint64{42}},
		{"bulk", []uint64{0, 1000}, []uint64{0}},
		{"bulk", []uint64{1, 1000}, []uint64{0}},
		{"bulk", []uint64{2, 16}, []uint64{0}},
		{"bulk", []uint64{3, 4096}, []uint64{0}},
		{"bulk", []uint64{4, 100}, []uint64{0}},
		{"bulk", []uint64{5, 3}, []uint64{0}},
		{"bulk", []uint64{6, 5}, []uint64{4096}},
		{"bulk", []uint64{7, 3}, []uint64{16}},
		{"growloop", nil, []uint64{60_000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
				ctx := context.Background()
				r := newRuntime(t, c, newTank(10_000_000))
				want := test.want
				if want == nil {
					plain, err := start(t, r, sample(t, test.name)).ExportedFunction("run").Call(ctx, test.args...)
					if err != nil {
						t.Fatal(err)
					}
					want = plain
				}
				m := start(t, r, rewrite(t, sample(t, test.name), Options{}))
				got, err := m.ExportedFunction("run").Call(ctx, test.args...)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(want) {
					t.Fatalf("got %v, want %v", got, want)
				}
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("got %v, want %v", got, want)
					}
				}
			})
		})
	}
}

func TestTraceNames(t *testing.T) {
	eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
		m := start(t, newRuntime(t, c, newTank(10_000)), rewrite(t, sample(t, "trap"), Options{}))
		_, err := m.ExportedFunction("run").Call(context.Background())
		if err == nil {
			t.Fatal("no trap")
		}
		for _, want := range []string{"integer divide by zero", "guest.divide_by_zero(", "guest.middle(", "guest.outer("} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("trace does not tell %q:\n%v", want, err)
			}
		}
	})
}

func TestStartFunctionIsMetered(t *testing.T) {
	eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
		_, err := instantiate(t, newRuntime(t, c, newTank(10_000)), rewrite(t, sample(t, "startloop"), Options{}))
		if !errors.Is(err, errFuel) {
			t.Fatalf("got %v, want %v", err, errFuel)
		}
	})
}

// TestFirstInstructionAsks enters functions that spend little.
func TestFirstInstructionAsks(t *testing.T) {
	void := newModule().types(signature(nil, nil)).section(secFunction, 1, 0)
	for name, wasm := range map[string][]byte{
		"start function": void.section(secStart, 0).code([]byte{0, opEnd}).b,
		"export":         function(opEnd),
	} {
		eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
			k := newTank(10_000)
			m := start(t, newRuntime(t, c, k), rewrite(t, wasm, Options{}))
			if f := m.ExportedFunction("run"); f != nil {
				if _, err := f.Call(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			if k.refills != 1 {
				t.Errorf("%s: asked %d times, want once", name, k.refills)
			}
		})
	}
}

// TestWithoutFunctions rewrites modules that have nothing to meter.
func TestWithoutFunctions(t *testing.T) {
	void := signature(nil, nil)
	for name, wasm := range map[string][]byte{
		"nothing":                    newModule().b,
		"no functions, counted":      newModule().types(void).section(secFunction, 0).b,
		"no bodies, counted":         newModule().types(void).section(secCode, 0).b,
		"no functions and no bodies": newModule().types(void).section(secFunction, 0).section(secCode, 0).b,
	} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
				start(t, newRuntime(t, c, newTank(10)), rewrite(t, wasm, Options{}))
			})
		})
	}
}

func TestNothingIsExported(t *testing.T) {
	wasm := sample(t, "bulk")
	_, before, err := Rewrite(wasm, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRuntime(t, engines[1].config().WithCoreFeatures(features), newTank(10_000))
	c, err := r.CompileModule(context.Background(), rewrite(t, wasm, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.ExportedFunctions()) + len(c.ExportedMemories()); got != len(before.Exports) {
		t.Errorf("%d exports, want %d", got, len(before.Exports))
	}
}

func TestRewriteTwice(t *testing.T) {
	once := rewrite(t, sample(t, "count"), Options{})
	_, _, err := Rewrite(once, Options{})
	if err == nil || !strings.Contains(err.Error(), `"meter"`) {
		t.Fatalf("got %v, want a refusal of the meter's imports", err)
	}
}
