package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestGuestNew begins a protocol and a policy in each language, away from this repository, and has their
// own make build and test them.
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
			begins := func(name, flights string, facts []string, args ...string) {
				t.Helper()
				run(self(t), append([]string{"guest", "new", "--lang", language}, append(args, name)...)...)
				said := run("make", "-C", name, "test")
				if !strings.Contains(said, flights) {
					t.Error(said)
				}
				said = run(self(t), "guest", "inspect", filepath.Join(name, name+".wasm"))
				for _, want := range append(facts, "may        nothing beyond the conversation\n") {
					if !strings.Contains(said, want) {
						t.Errorf("it is not %q:\n%s", want, said)
					}
				}
				if said = run(self(t), "guest", "test", "--strict", name); !strings.Contains(said, " probes, 0 faults\n") {
					t.Error(said)
				}
			}
			begins("greet-2", "10 flights, 0 failed\n", []string{"kind       protocol ", "option     guestOption = ready=WORD"})
			begins("gate", "8 flights, 0 failed\n", []string{"kind       policy ", "option     guestOption = allow=CIDR"}, "--policy")
			err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if err != nil || e.IsDir() || path == filepath.Join(dir, "stunnel-wasm") {
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
