package stdproto_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// TestPolicyTalks runs what a transcript can say of a policy.
func TestPolicyTalks(t *testing.T) {
	wasm, err := os.ReadFile("../testdata/guests/decide.wasm")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close(ctx)
	module, err := runtime.Load(ctx, guest.Source{Name: "decide", Wasm: wasm, Role: guest.Policy, Allow: []abi.Capability{abi.Target}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"allow":  "-- conf --\ninfo.stage = dial\n-- talk --\nlog 7 \"dial\"\nallow\n",
		"deny":   "-- conf --\ninfo.stage = handshake\nguestOption = do=h\n-- talk --\nlog 7 \"hand\"\ndeny: policy \"it says so\"\n",
		"target": "-- conf --\ninfo.stage = accept\nguestOption = do=rhost:1\n-- talk --\nlog 7 \"acce\"\ntarget \"host:1\"\nallow\n",
	} {
		f, err := flight.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { fly(t, module, f, false) })
	}
}

// TestExamplePolicy builds the policy that docs/policy.md teaches with, and plays the
// transcript beside it and two more.
func TestExamplePolicy(t *testing.T) {
	wasm := buildExample(t, "policy.md")
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close(ctx)
	module, err := runtime.Load(ctx, guest.Source{Name: "names", Wasm: wasm, Role: guest.Policy})
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, ok := strings.Cut(string(manual), "    -- conf --\n")
	if !ok {
		t.Fatal("docs/policy.md has no transcript")
	}
	for name, text := range map[string]string{
		"manual":  "-- conf --\n" + strings.ReplaceAll(script, "    ", ""),
		"own":     "-- conf --\ninfo.stage = handshake\ninfo.sni = a.svc.example.org\n-- talk --\nallow\n",
		"no name": "-- conf --\ninfo.stage = handshake\n-- talk --\ndeny: policy \"it asked for no name\"\n",
		"accept":  "-- conf --\ninfo.stage = accept\n-- talk --\nallow\n",
	} {
		f, err := flight.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { fly(t, module, f, false) })
	}
}
