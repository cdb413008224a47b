package sdk_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestManual holds the code in docs/guests.md to the examples that it is taken from, and
// its configuration to what the daemon reads.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile("../docs/guests.md")
	if err != nil {
		t.Fatal(err)
	}
	for language, file := range map[string]string{
		"rust": "rust/examples/toy/main.rs", "go": "go/examples/toy/main.go", "c": "c/examples/toy/main.c",
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if code := block(t, string(manual), language); !strings.Contains(string(source), code) {
			t.Errorf("%s does not have what the manual shows of it:\n%s", file, code)
		}
	}
	conf, err := config.LoadReader("odd.conf", strings.NewReader(block(t, string(manual), "ini")))
	if err != nil {
		t.Fatal(err)
	}
	if len(conf.Services) != 1 || conf.Services[0].Protocol != "odd" {
		t.Errorf("the manual's configuration has %d services", len(conf.Services))
	}
}

// block gives the manual's first block in a language.
func block(t *testing.T, manual, language string) string {
	t.Helper()
	_, rest, _ := strings.Cut(manual, "```"+language+"\n")
	text, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatalf("docs/guests.md has no block of %s", language)
	}
	return text
}
