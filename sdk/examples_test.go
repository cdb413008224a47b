package sdk_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
	"github.com/stunnel-wasm/stunnel-wasm/sdk"
)

// TestExamples builds the examples of each language from what is embedded, with their own
// make, and plays the transcripts that they share. None asks for a capability.
func TestExamples(t *testing.T) {
	for _, language := range []struct {
		name     string
		need     func(t *testing.T)
		examples []string
	}{
		{"c", needC, []string{"toy", "policy", "amqp"}},
		{"rust", needRust, []string{"toy", "policy", "nut"}},
	} {
		t.Run(language.name, func(t *testing.T) {
			language.need(t)
			dir := t.TempDir()
			if err := os.CopyFS(dir, sdk.Files); err != nil {
				t.Fatal(err)
			}
			for _, example := range language.examples {
				t.Run(example, func(t *testing.T) {
					at := filepath.Join(dir, language.name, "examples", example)
					build := exec.Command("make", "-C", at, "RUSTC=/usr/bin/rustc")
					if text, err := build.CombinedOutput(); err != nil {
						t.Fatalf("building: %v\n%s", err, text)
					}
					fly(t, filepath.Join(at, example+".wasm"), example)
				})
			}
		})
	}
}

func needC(t *testing.T) {
	testpeer.Need(t, "clang", "clang")
	testpeer.Need(t, "wasm-ld", "lld")
}

func needRust(t *testing.T) {
	testpeer.NeedFile(t, "/usr/bin/rustc", "rustc")
	testpeer.NeedFile(t, "/usr/lib/rustlib/wasm32-unknown-unknown", "libstd-rust-dev-wasm32")
	testpeer.Need(t, "lld", "lld")
}

// fly plays an example's transcripts, twice each.
func fly(t *testing.T, file, example string) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close(ctx)
	module, err := runtime.Load(ctx, guest.Source{Name: example, Wasm: wasm, Role: guest.AnyRole, Allow: []abi.Capability{}})
	if err != nil {
		t.Fatal(err)
	}
	if len(module.Info.Manifest) == 0 {
		t.Error("it has no manifest")
	}
	if options, _ := module.Info.Options(); (len(options) > 0) != module.Info.Configures {
		t.Errorf("it has the options %q, and checks options: %v", options, module.Info.Configures)
	}
	flights, err := fs.Glob(sdk.Files, path.Join("flights", example, "*.txtar"))
	if err != nil || len(flights) == 0 {
		t.Fatal("no flights: ", err)
	}
	for _, name := range flights {
		text, err := sdk.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		script, err := flight.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, single := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				o := flight.Options{Single: single, Patience: time.Hour}
				if err := flight.Play(t.Context(), module, script, o); err != nil {
					t.Errorf("%s, byte by byte %v: %v", name, single, err)
				}
			})
		}
	}
}
