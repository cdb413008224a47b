package stdproto_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

var update = flag.Bool("update", false, "write docs/protocols.md anew")

const manualHead = `# The bundled guests

Made from the guests' manifests; a test keeps this page so. ` + "`stunnel-wasm guest inspect NAME`" + ` tells the same of any module, and what it is able to do.
A service names one by ` + "`protocol = NAME`" + `, or by ` + "`policy = NAME`" + ` one that decides. Case does not matter.
`

// TestManual holds the manual's page about the bundled guests to their manifests, and
// each manifest to the lines that it must have.
func TestManual(t *testing.T) {
	var page strings.Builder
	page.WriteString(manualHead)
	for _, name := range slices.Sorted(slices.Values(slices.Concat(stdproto.Names(), stdproto.Policies()))) {
		wasm, ok := stdproto.Lookup(name)
		if !ok {
			t.Fatalf("no guest %q", name)
		}
		module, err := meter.Decode(wasm)
		if err != nil {
			t.Fatal(err)
		}
		manifest, _ := module.Custom(abi.ManifestSection)
		lines := map[string][]string{}
		for line := range strings.Lines(string(manifest)) {
			kind, text, ok := strings.Cut(strings.TrimSpace(line), ": ")
			if !ok {
				t.Errorf("%s: manifest line %q", name, line)
			}
			lines[kind] = append(lines[kind], text)
		}
		if !slices.Equal(lines["name"], []string{name}) || len(lines["summary"]) != 1 || !slices.Equal(lines["interface"], []string{abi.ImportModule}) {
			t.Errorf("%s: manifest has name %q, summary %q, interface %q", name, lines["name"], lines["summary"], lines["interface"])
			continue
		}
		fmt.Fprintf(&page, "\n## %s\n\n%s.", name, lines["summary"][0])
		if sides := lines["sides"]; len(sides) == 1 {
			fmt.Fprintf(&page, " Modes: %s.", strings.Join(strings.Fields(sides[0]), ", "))
		}
		page.WriteString("\n\n")
		for _, option := range lines["option"] {
			setting, doc, _ := strings.Cut(option, " (")
			if doc != "" {
				doc = " (" + doc
			}
			fmt.Fprintf(&page, "- `%s`%s\n", setting, doc)
		}
		for _, note := range lines["note"] {
			fmt.Fprintf(&page, "- %s\n", note)
		}
		if grants := stdproto.Grants(name); len(grants) > 0 {
			fmt.Fprintf(&page, "- it has by itself: %s\n", strings.Trim(fmt.Sprint(grants), "[]"))
		}
	}
	const file = "../docs/protocols.md"
	text := strings.ReplaceAll(page.String(), "\n\n\n", "\n\n")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != text {
		t.Errorf("%s is not what the manifests say: go test ./stdproto -run Manual -update", file)
	}
}
