package meter

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// guestSample reads a module of the guests' testdata, each of which has an _initialize.
func guestSample(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "guests", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDetach gives an instance of the rewritten module what was taken out of it, and
// expects what the whole module is.
func TestDetach(t *testing.T) {
	wasm := guestSample(t, "image")
	out, m, err := Rewrite(wasm, Options{Detach: "_initialize"})
	if err != nil {
		t.Fatal(err)
	}
	if m.State == nil {
		t.Fatalf("nothing was taken out: %s", m.Attached)
	}
	if got := m.State.Memory; len(got) != 65532 || got[65528] != 2 || bytes.Count(got, []byte{0}) != len(got)-1 {
		t.Errorf("memory of %d bytes, %d not zero", len(got), len(got)-bytes.Count(got, []byte{0}))
	}
	// The module exports a global under the first of these names already.
	names := []string{"global 0'", "global 1", "global 2", "global 3"}
	types := []ValueType{I32, I64, F32, F64}
	if len(m.State.Globals) != len(names) {
		t.Fatalf("globals %v", m.State.Globals)
	}
	eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
		r := newRuntime(t, c, newTank(1<<40))
		i := start(t, r, out)
		for n, g := range m.State.Globals {
			if g.Export != names[n] || g.Type != types[n] {
				t.Errorf("global %+v, want %s of type %s", g, names[n], types[n])
			}
			if _, ok := i.ExportedGlobal(g.Export).(api.MutableGlobal); !ok {
				t.Errorf("%s is not an export that can be set", g.Export)
			}
		}
		all, _ := i.Memory().Read(0, i.Memory().Size())
		if bytes.Count(all, []byte{0}) != len(all) {
			t.Error("the memory is not empty")
		}
		copy(all, m.State.Memory)
		for _, f := range []string{"_initialize", "negotiate"} {
			if got, err := i.ExportedFunction(f).Call(context.Background()); err != nil || len(got) > 0 && got[0] != 0 {
				t.Errorf("%s returned %v, %v", f, got, err)
			}
		}
	})
}

// TestDetachNot has modules whose state is more than memory and globals, and modules
// that were not asked for: they come out as without the option.
func TestDetachNot(t *testing.T) {
	for name, why := range map[string]string{
		"plain_start":   "it has a start function",
		"plain_table":   "it changes its tables",
		"plain_data":    "it copies data segments itself",
		"plain_ref":     "a global refers to something outside of the memory",
		"plain_segment": "a data segment does not fit the memory",
		"echo":          "", // which has no _initialize
	} {
		wasm := guestSample(t, name)
		out, m, err := Rewrite(wasm, Options{Detach: "_initialize"})
		if err != nil {
			t.Fatal(err)
		}
		if m.State != nil || m.Attached != why {
			t.Errorf("%s: state %v, because %q, want %q", name, m.State, m.Attached, why)
		}
		if !bytes.Equal(out, rewrite(t, wasm, Options{})) {
			t.Errorf("%s is another module", name)
		}
	}
}
