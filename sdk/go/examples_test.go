package stunnel_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// TestExamples builds the examples with the Go toolchain, and plays the transcripts
// that all languages share against what that gives. None asks for a capability, and each begins from an image.
func TestExamples(t *testing.T) {
	for _, example := range []string{"toy", "policy", "irc"} {
		t.Run(example, func(t *testing.T) {
			module := build(t, example)
			if module.Info.Plain != "" {
				t.Errorf("it begins from no image: %s", module.Info.Plain)
			}
			if len(module.Info.Manifest) == 0 || !module.Info.Configures || len(module.Info.Capabilities) > 0 {
				t.Errorf("manifest %q, configures %v, capabilities %q", module.Info.Manifest, module.Info.Configures, module.Info.Capabilities)
			}
			flights, err := filepath.Glob(filepath.Join("..", "flights", example, "*.txtar"))
			if err != nil || len(flights) == 0 {
				t.Fatal("no flights: ", err)
			}
			for _, name := range flights {
				text, err := os.ReadFile(name)
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
		})
	}
}

// build makes an example's module as its Makefile does, and loads it.
func build(t *testing.T, example string) *guest.Module {
	t.Helper()
	file := filepath.Join(t.TempDir(), example+".wasm")
	dir := filepath.Join("examples", example)
	compile := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags", "-s -w", "-o", file, "./"+dir)
	compile.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	add := exec.Command("go", "run", "./addmanifest", filepath.Join(dir, "manifest.txt"), file)
	for _, step := range []*exec.Cmd{compile, add} {
		if text, err := step.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", example, err, text)
		}
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runtime.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	module, err := runtime.Load(ctx, guest.Source{Name: example, Wasm: wasm, Role: guest.AnyRole})
	if err != nil {
		t.Fatal(err)
	}
	return module
}
