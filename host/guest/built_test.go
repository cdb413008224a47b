package guest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestBuilt compares the committed modules with their sources.
func TestBuilt(t *testing.T) {
	wat2wasm := testpeer.Need(t, "wat2wasm", "wabt")
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
