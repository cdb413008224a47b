package stdproto_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
	"github.com/stunnel-wasm/stunnel-wasm/sdk"
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
// transcript beside it and three more.
func TestExamplePolicy(t *testing.T) {
	t.Run("rust", func(t *testing.T) { flyExamplePolicy(t, buildExample(t, "policy.md")) })
	t.Run("c", func(t *testing.T) { flyExamplePolicy(t, buildExampleC(t, "policy.md")) })
}

// buildExampleC puts a manual's guest in the place of the example that guest new --policy
// begins with.
func buildExampleC(t *testing.T, page string) []byte {
	t.Helper()
	testpeer.Need(t, "clang", "clang")
	testpeer.Need(t, "wasm-ld", "lld")
	tree := t.TempDir()
	if err := os.CopyFS(tree, sdk.Files); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(tree, "c", "examples", "policy")
	if err := os.WriteFile(filepath.Join(dir, "main.c"), []byte(block(t, page, "c")), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("make", "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, text)
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "policy.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func flyExamplePolicy(t *testing.T, wasm []byte) {
	t.Helper()
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

// block gives a manual's first block in a language.
func block(t *testing.T, page, language string) string {
	t.Helper()
	manual, err := os.ReadFile("../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(manual), "```"+language+"\n")
	text, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatalf("docs/%s has no block of %s", page, language)
	}
	return text
}

// buildExample compiles a manual's guest, in a tree like a clone's.
func buildExample(t *testing.T, page string) []byte {
	t.Helper()
	testpeer.NeedFile(t, "/usr/bin/rustc", "rustc")
	testpeer.NeedFile(t, "/usr/lib/rustlib/wasm32-unknown-unknown", "libstd-rust-dev-wasm32")
	testpeer.Need(t, "lld", "lld")
	clone := t.TempDir()
	for _, dir := range []string{"guests", "sdk"} {
		if err := os.CopyFS(filepath.Join(clone, dir), os.DirFS("../"+dir)); err != nil {
			t.Fatal(err)
		}
	}
	main, out := filepath.Join(clone, "toy", "main.rs"), filepath.Join(clone, "toy.wasm")
	if err := os.Mkdir(filepath.Dir(main), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, []byte(block(t, page, "rust")), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.Command(filepath.Join(clone, "guests", "build.sh"), main, out)
	build.Env = append(os.Environ(), "RUSTC=/usr/bin/rustc")
	if text, err := build.CombinedOutput(); err != nil || len(text) > 0 {
		t.Fatalf("building the example: %v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}
