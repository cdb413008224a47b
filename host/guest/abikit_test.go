package guest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// TestABIKit holds this host to testdata/abi, on both of its engines.
func TestABIKit(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "abi")
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no probes: ", err)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for engine, interpreter := range map[string]bool{"compiler": false, "interpreter": true} {
		runtime, err := guest.NewRuntime(t.Context(), guest.RuntimeOptions{Interpreter: interpreter})
		if err != nil {
			t.Fatal(err)
		}
		defer runtime.Close(t.Context())
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txtar")
			t.Run(engine+"/"+name, func(t *testing.T) {
				if !strings.Contains(string(readme), "| `"+name+"` |") {
					t.Error("the README's table does not have it")
				}
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				script, err := flight.Parse(string(text))
				if err != nil {
					t.Fatal(err)
				}
				wasm, err := os.ReadFile(filepath.Join(dir, script.Config["protocol"]))
				if err != nil {
					t.Fatal(err)
				}
				source := guest.Source{Name: name, Wasm: wasm}
				if script.Config["guestallow"] != "" {
					source.Allow = []abi.Capability{abi.Capability(script.Config["guestallow"])}
				}
				module, err := runtime.Load(t.Context(), source)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Test(t, func(t *testing.T) {
					if err := flight.Play(t.Context(), module, script, flight.Options{Patience: time.Hour}); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
