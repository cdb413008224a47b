package meter

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// features is what a metered module may use.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

var (
	errFuel     = errors.New("out of fuel")
	errOverflow = errors.New("call stack overflow")
)

// engines are wazero's two, on each of which every test runs.
var engines = []struct {
	name   string
	config func() wazero.RuntimeConfig
}{
	{"compiler", wazero.NewRuntimeConfigCompiler},
	{"interpreter", wazero.NewRuntimeConfigInterpreter},
}

// eachEngine runs a test on both engines.
func eachEngine(t *testing.T, f func(t *testing.T, c wazero.RuntimeConfig)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			f(t, e.config().WithCoreFeatures(features).WithMemoryLimitPages(64))
		})
	}
}

// A tank is the host's side of the meter.
type tank struct {
	budget  int64 // fuel that may still be handed out
	slice   int64 // fuel that is handed out at a time, besides the debt
	granted int64
	owed    int64 // at most, when it was asked
	refills int
}

// newTank makes a tank that hands out slices of 1000.
func newTank(budget int64) *tank { return &tank{budget: budget, slice: 1000} }

// refill pays the debt and hands out a slice.
func (k *tank) refill(fuel int64) int64 {
	k.refills++
	k.owed = max(k.owed, -fuel)
	need := k.slice - fuel
	if need > k.budget {
		panic(errFuel)
	}
	k.budget -= need
	k.granted += need
	return k.slice
}

// newRuntime makes a runtime with the meter's imports, fed from k, and a module env.
func newRuntime(t testing.TB, c wazero.RuntimeConfig, k *tank) wazero.Runtime {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, c)
	t.Cleanup(func() { r.Close(ctx) })
	_, err := r.NewHostModuleBuilder(ImportModule).
		NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, s []uint64) {
		s[0] = uint64(k.refill(int64(s[0])))
	}), []api.ValueType{api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).Export(Refill).
		NewFunctionBuilder().WithFunc(func() { panic(errOverflow) }).Export(Overflow).
		Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.NewHostModuleBuilder("env").
		NewFunctionBuilder().WithFunc(func() uint32 { return 7 }).Export("seven").
		Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sample reads a module of testdata.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rewrite meters a module.
func rewrite(t testing.TB, wasm []byte, o Options) []byte {
	t.Helper()
	out, _, err := Rewrite(wasm, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// instantiate compiles and instantiates a module.
func instantiate(t testing.TB, r wazero.Runtime, wasm []byte) (api.Module, error) {
	t.Helper()
	ctx := context.Background()
	c, err := r.CompileModule(ctx, wasm)
	if err != nil {
		t.Fatalf("compiling: %v", err)
	}
	return r.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithName(""))
}

// start is instantiate for modules that come up.
func start(t testing.TB, r wazero.Runtime, wasm []byte) api.Module {
	t.Helper()
	m, err := instantiate(t, r, wasm)
	if err != nil {
		t.Fatalf("instantiating: %v", err)
	}
	return m
}
