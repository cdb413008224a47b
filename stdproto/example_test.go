package stdproto_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestExample builds the guest that docs/guests.md teaches with, as it says to, and
// holds it to what it says of it.
func TestExample(t *testing.T) {
	wasm := buildExample(t, "guests.md")
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close(ctx)
	module, err := runtime.Load(ctx, guest.Source{Name: "toy", Wasm: wasm})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"server": "-- conf --\n-- talk --\n" +
			"L: HELLO\nL< READY?\nL: STARTTLS\nL< GO\ntls L\nrelay\n",
		"client": "-- conf --\nclient = yes\n-- talk --\n" +
			"S< HELLO\nS: READY?\nS< STARTTLS\nS: GO\ntls S\nrelay\n",
		"option": "-- conf --\nguestOption = ready=READY!\n-- talk --\n" +
			"L: HELLO\nL< READY!\nL: STARTTLS\nL< GO\ntls L\nrelay\n",
		"wrong word": "-- conf --\n-- talk --\n" +
			"L: HELO\nL< ERROR\nclose: peer \"expected \\\"HELLO\\\", got \\\"HELO\\\"\"\n",
		"nobody there": "-- conf --\nclient = yes\n-- talk --\n" +
			"connect refused\nclose: peer \"connecting: connection refused\"\n",
	} {
		f, err := flight.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { fly(t, module, f, false) })
	}
}

// TestExampleConfig reads the configuration of the same example.
func TestExampleConfig(t *testing.T) {
	conf, err := config.LoadReader("toy.conf", strings.NewReader(block(t, "guests.md", "ini")))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range conf.Services {
		if s.Protocol != "toy" {
			t.Errorf("service %s has protocol %q", s.Name, s.Protocol)
		}
	}
	if len(conf.Services) != 2 {
		t.Errorf("%d services, want a client and a server", len(conf.Services))
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
