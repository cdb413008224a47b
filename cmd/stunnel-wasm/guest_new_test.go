package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestGuestNew begins a guest in each language, away from this repository, and has its
// own make build and test it.
func TestGuestNew(t *testing.T) {
	for language, need := range map[string]func(){
		"c": func() {
			testpeer.Need(t, "clang", "clang")
			testpeer.Need(t, "wasm-ld", "lld")
		},
		"go": func() { testpeer.Need(t, "go", "golang") },
		"rust": func() {
			testpeer.Need(t, "wasm-ld", "lld")
			testpeer.NeedFile(t, "/usr/bin/rustc", "rustc")
			testpeer.NeedFile(t, "/usr/lib/rustlib/wasm32-unknown-unknown", "libstd-rust-dev-wasm32")
		},
	} {
		t.Run(language, func(t *testing.T) {
			need()
			dir := t.TempDir()
			if err := os.Symlink(self(t), filepath.Join(dir, "stunnel-wasm")); err != nil {
				t.Fatal(err)
			}
			run := func(name string, args ...string) string {
				t.Helper()
				c := exec.Command(name, args...)
				c.Dir = dir
				c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
				text, err := c.CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, text)
				}
				return string(text)
			}
			run(self(t), "guest", "new", "--lang", language, "greet-2")
			said := run("make", "-C", "greet-2", "test")
			if !strings.Contains(said, "10 flights, 0 failed\n") {
				t.Error(said)
			}
			said = run(self(t), "guest", "inspect", filepath.Join("greet-2", "greet-2.wasm"))
			for _, want := range []string{"may        nothing beyond the conversation\n", "option     guestOption = ready=WORD"} {
				if !strings.Contains(said, want) {
					t.Errorf("it is not %q:\n%s", want, said)
				}
			}
			if said = run(self(t), "guest", "test", "--strict", "greet-2"); !strings.Contains(said, " probes, 0 faults\n") {
				t.Error(said)
			}
			err := filepath.WalkDir(filepath.Join(dir, "greet-2"), func(path string, e os.DirEntry, err error) error {
				if err != nil || e.IsDir() {
					return err
				}
				text, err := os.ReadFile(path)
				for _, out := range []string{"../", "github.com/stunnel-wasm"} {
					if strings.Contains(string(text), out) && !strings.HasSuffix(path, ".wasm") {
						t.Errorf("%s leads out of the folder: %s", path, out)
					}
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
