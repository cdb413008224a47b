package main

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestInstall has make install put the program and its manual page below a directory, as
// packages are made, and nothing else.
func TestInstall(t *testing.T) {
	t.Parallel()
	testpeer.Need(t, "make", "make")
	testpeer.Need(t, "go", "golang-go")
	for prefix, want := range map[string]map[string]fs.FileMode{
		"":           {"usr/local/bin/stunnel-wasm": 0o755, "usr/local/share/man/man8/stunnel-wasm.8": 0o644},
		"/opt/a b/c": {"opt/a b/c/bin/stunnel-wasm": 0o755, "opt/a b/c/share/man/man8/stunnel-wasm.8": 0o644},
	} {
		dir := t.TempDir()
		// Those who run the tests may have a PREFIX, or a make above that has.
		env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PREFIX=") || strings.HasPrefix(v, "MAKE") })
		install := exec.Command("make", "-C", "../..", "install", "DESTDIR="+dir)
		install.Env = env
		if prefix != "" {
			install.Args = append(install.Args, "PREFIX="+prefix)
		}
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := map[string]fs.FileMode{}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			name, _ := filepath.Rel(dir, path)
			got[name] = info.Mode()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("PREFIX=%s: %v, not %v", prefix, got, want)
		}
		names := slices.Sorted(maps.Keys(want))
		if err := exec.Command(filepath.Join(dir, names[0]), "-version").Run(); err != nil {
			t.Error(err)
		}
		manual, err := os.ReadFile("../../docs/stunnel-wasm.8")
		if err != nil {
			t.Fatal(err)
		}
		if installed, err := os.ReadFile(filepath.Join(dir, names[1])); err != nil || !bytes.Equal(installed, manual) {
			t.Errorf("the manual page is another one: %v", err)
		}
	}
}
