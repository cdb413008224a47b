package meter

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestModulesAreTheirSources compiles the text modules of testdata anew.
func TestModulesAreTheirSources(t *testing.T) {
	compiler := testpeer.Need(t, "wat2wasm", "wabt")
	sources, err := filepath.Glob("testdata/*.wat")
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources in testdata", err)
	}
	for _, source := range sources {
		out := filepath.Join(t.TempDir(), "out.wasm")
		if msg, err := exec.Command(compiler, "--debug-names", source, "-o", out).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", source, err, msg)
			continue
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(source), ".wat")
		if !bytes.Equal(got, sample(t, name)) {
			t.Errorf("%s.wasm is not made of its source", name)
		}
	}
}

// TestValidate has a second validator, wabt's, look at the rewritten modules.
func TestValidate(t *testing.T) {
	validator := testpeer.Need(t, "wasm-validate", "wabt")
	modules, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(modules) == 0 {
		t.Fatal("no modules in testdata", err)
	}
	check := func(name string, wasm []byte) {
		out := filepath.Join(t.TempDir(), "out.wasm")
		if err := os.WriteFile(out, rewrite(t, wasm, Options{}), 0o600); err != nil {
			t.Fatal(err)
		}
		if msg, err := exec.Command(validator, out).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, msg)
		}
	}
	for _, path := range modules {
		name := strings.TrimSuffix(filepath.Base(path), ".wasm")
		check(name, sample(t, name))
	}
	check("generated", generate(randomBytes(1, 2000), genFuncs))
	check("merges", recursive(10, merges(10, 10)))
}
