package guest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needProgram skips a test that needs a program which is not there, but never in CI,
// where it would hide that nothing was tested.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI needs %s", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// TestBuilt compares the committed modules with their sources.
func TestBuilt(t *testing.T) {
	wat2wasm := needProgram(t, "wat2wasm")
	sources, err := filepath.Glob(filepath.Join("..", "..", "testdata", "guests", "*.wat"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	for _, source := range sources {
		out := filepath.Join(t.TempDir(), "out.wasm")
		if text, err := exec.Command(wat2wasm, "--debug-names", "--no-check", source, "-o", out).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		built, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(source), ".wat")
		if !bytes.Equal(built, module(t, name)) {
			t.Errorf("%s.wasm is not what %s.wat gives: run testdata/guests/build.sh", name, name)
		}
	}
}
