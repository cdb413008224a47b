package stdproto_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// load compiles a bundled guest with what it is granted by default.
func load(tb testing.TB, name string) *guest.Module {
	tb.Helper()
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	wasm, ok := stdproto.Lookup(name)
	if !ok {
		tb.Fatalf("no guest %q", name)
	}
	src := guest.Source{Name: name, Wasm: wasm, Allow: stdproto.Grants(name)}
	if stdproto.IsPolicy(name) {
		src.Role = guest.Policy
	}
	module, err := runtime.Load(ctx, src)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := runtime.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return module
}

// TestFlights runs every transcript of every bundled guest.
func TestFlights(t *testing.T) {
	for _, name := range append(stdproto.Names(), stdproto.Policies()...) {
		files, err := filepath.Glob(filepath.Join("..", "testdata", "flights", name, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("guest %s has no flights", name)
		}
		module := load(t, name)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, err := flight.Parse(string(text))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			base := name + "/" + strings.TrimSuffix(filepath.Base(file), ".txtar")
			t.Run(base, func(t *testing.T) { fly(t, module, f, false) })
			t.Run(base+"/bytes", func(t *testing.T) { fly(t, module, f, true) })
		}
	}
}

// patience bounds how long a peer waits for a line. Time is the bubble's: it only
// passes when nothing else can happen.
const patience = time.Hour

// fly plays one flight.
func fly(t *testing.T, module *guest.Module, f *flight.Flight, single bool) {
	cryptotest.SetGlobalRandom(t, 1) // what a guest draws is in its transcript
	synctest.Test(t, func(t *testing.T) {
		if err := flight.Play(t.Context(), module, f, flight.Options{Single: single, Patience: patience}); err != nil {
			t.Error(err)
		}
	})
}
