package sdk_test

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
	"github.com/stunnel-wasm/stunnel-wasm/sdk"
)

// withStd is a guest that uses Rust's standard library and its allocator.
const withStd = `
use stunnel::{Outcome, Refusal, ACCEPTED};

#[no_mangle]
pub extern "C" fn negotiate() -> i32 {
    stunnel::status(run())
}

fn run() -> Outcome {
    let words: Vec<String> = (1..4).map(|n| format!("word {n}\r\n")).collect();
    for word in &words {
        ACCEPTED.write(word.as_bytes()).map_err(|code| Refusal::of(&["writing"], code))?;
    }
    ACCEPTED.starttls().map_err(|code| Refusal::of(&["starting TLS"], code))
}
`

// TestRustWithStd builds a guest on the SDK's feature std. It imports no WASI: the target
// has none.
func TestRustWithStd(t *testing.T) {
	needRust(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, sdk.Files); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.rs"), []byte(withStd), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--cfg", `feature="std"`, "--crate-type", "rlib", "--crate-name", "stunnel", "-o", "libstunnel.rlib", "rust/src/lib.rs"},
		{"-C", "opt-level=s", "-C", "panic=abort", "--crate-type", "cdylib", "--extern", "stunnel=libstunnel.rlib", "-o", "std.wasm", "main.rs"},
	} {
		rustc := exec.Command("/usr/bin/rustc", append([]string{"--edition", "2021", "--target", "wasm32-unknown-unknown"}, args...)...)
		rustc.Dir = dir
		if text, err := rustc.CombinedOutput(); err != nil {
			t.Fatalf("building: %v\n%s", err, text)
		}
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "std.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close(ctx)
	module, err := runtime.Load(ctx, guest.Source{Name: "std", Wasm: wasm})
	if err != nil {
		t.Fatal(err)
	}
	script, err := flight.Parse("-- conf --\n-- talk --\nL< word 1\nL< word 2\nL< word 3\ntls L\nrelay unconnected\n")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if err := flight.Play(t.Context(), module, script, flight.Options{Patience: time.Hour}); err != nil {
			t.Error(err)
		}
	})
}
