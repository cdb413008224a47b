package meter

import (
	"context"
	"testing"
)

// BenchmarkRewrite meters a module of some 5 KB.
func BenchmarkRewrite(b *testing.B) {
	wasm := generate(randomBytes(3, 4000), genFuncs)
	out := rewrite(b, wasm, Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Rewrite(wasm, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(wasm)), "bytes")
	b.ReportMetric(float64(len(out))/float64(len(wasm)), "growth")
}

// BenchmarkRun compares metered runs with plain ones: a loop of a million short
// iterations, and two million calls.
func BenchmarkRun(b *testing.B) {
	for _, test := range []struct {
		name string
		arg  uint64
	}{{"count", 1_000_000}, {"fork", 20}} {
		for _, e := range engines {
			for _, metered := range []bool{false, true} {
				name := test.name + "/" + e.name + "/plain"
				wasm := sample(b, test.name)
				if metered {
					name = test.name + "/" + e.name + "/metered"
					wasm = rewrite(b, wasm, Options{})
				}
				b.Run(name, func(b *testing.B) {
					k := &tank{budget: 1 << 60, slice: 1_000_000}
					m := start(b, newRuntime(b, e.config().WithCoreFeatures(features), k), wasm)
					f := m.ExportedFunction("run")
					for b.Loop() {
						if _, err := f.Call(context.Background(), test.arg); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
