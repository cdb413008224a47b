package probe_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/probe"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

func load(t *testing.T, src guest.Source) *guest.Module {
	t.Helper()
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
	src.Role = guest.AnyRole
	for _, c := range abi.Capabilities {
		src.Allow = append(src.Allow, c.Name)
	}
	module, err := runtime.Load(ctx, src)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// TestBundled probes the guest that others are written after, along a few transcripts.
func TestBundled(t *testing.T) {
	wasm, _ := stdproto.Lookup("smtp")
	module := load(t, guest.Source{Name: "smtp", Wasm: wasm})
	scripts := map[string]*flight.Flight{}
	names := []string{"server-starttls", "client-starttls", "auth-login"}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "flights", "smtp", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		if scripts[name], err = flight.Parse(string(text)); err != nil {
			t.Fatal(err)
		}
	}
	report := probe.Run(t.Context(), module, names, scripts)
	for _, f := range report.Faults {
		t.Errorf("%s: %s: %s", f.Flight, f.Probe, f.Err)
	}
	// Each host call of each run has failed with each of 15 codes.
	if report.Probes < 500 {
		t.Errorf("%d probes", report.Probes)
	}
}

// TestLongWait leaves out a transcript that would take minutes for each probe.
func TestLongWait(t *testing.T) {
	script, err := flight.Parse("-- talk --\nwait 300000\nclose: time \"not done after 5m0s\"\n")
	if err != nil {
		t.Fatal(err)
	}
	wasm, _ := stdproto.Lookup("smtp")
	report := probe.Run(t.Context(), load(t, guest.Source{Name: "smtp", Wasm: wasm}), []string{"slow"},
		map[string]*flight.Flight{"slow": script})
	if report.Probes != 0 || len(report.LeftOut) != 1 || report.LeftOut[0] != "slow" {
		t.Errorf("%+v", report)
	}
}

// TestFaults has modules that do wrong found out.
func TestFaults(t *testing.T) {
	for name, want := range map[string]string{
		"echo":        "it refuses without a reason",
		"unreachable": "trap: ",
		"loop":        "fuel: ",
		"outside":     "trap: trap: out of bounds",
	} {
		t.Run(name, func(t *testing.T) {
			wasm, err := os.ReadFile(filepath.Join("..", "..", "testdata", "guests", name+".wasm"))
			if err != nil {
				t.Fatal(err)
			}
			script, err := flight.Parse("-- talk --\nL: hello\nL< hello\nrelay\n")
			if err != nil {
				t.Fatal(err)
			}
			report := probe.Run(t.Context(), load(t, guest.Source{Name: name, Wasm: wasm}), []string{"hello"},
				map[string]*flight.Flight{"hello": script})
			for _, f := range report.Faults {
				if strings.HasPrefix(f.Err, want) {
					return
				}
			}
			t.Errorf("found %v, want %s", report.Faults, want)
		})
	}
}
