package manual

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// notOptions are words of the documents that have the form of an option's name, with what
// they are.
var notOptions = map[string]string{
	"NAME":         "stands for any name",
	"REDIRECT":     "a target of iptables",
	"nextUpdate":   "a field of revocation lists and OCSP responses",
	"protocolhost": "a guest's key",
	"setenv":       "an option of hosts_options(5)",
	"detectTLS":    "a guestOption",
	"userPassword": "a guestOption",
	"prefregex":    "a setting of fail2ban",
	"failregex":    "a setting of fail2ban",
	"datepattern":  "a setting of fail2ban",
}

var (
	codeSpan = regexp.MustCompile("`[^`\n]+`")
	lineForm = regexp.MustCompile(`^([A-Za-z]+) +=( |$)`)
	camel    = regexp.MustCompile(`^[a-z]+[A-Z][A-Za-z]*$`)
)

// TestDocumentsNameOptions looks in every document for what reads as an option: there must
// be one of that name, spelled so.
func TestDocumentsNameOptions(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d documents, %v", len(files), err)
	}
	found := 0
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			for _, name := range optionNames(line) {
				found++
				if notOptions[name] != "" {
					continue
				}
				o, ok := config.Lookup(name)
				if !ok {
					t.Errorf("%s:%d: there is no option %q", file, n, name)
				} else if name != o.Name && !slices.Contains(o.Aliases, name) {
					t.Errorf("%s:%d: %q is spelled %s", file, n, name, o.Name)
				}
			}
		}
	}
	if found < 500 {
		t.Errorf("only %d names were found", found)
	}
}

// optionNames gives what a line of a document names as options: lines NAME = VALUE, in an
// indented example or in backticks, and names in backticks.
func optionNames(line string) (names []string) {
	if code, ok := strings.CutPrefix(line, codeIndent); ok {
		if m := lineForm.FindStringSubmatch(strings.TrimLeft(code, ";# ")); m != nil {
			return []string{m[1]}
		}
		return nil
	}
	for _, span := range codeSpan.FindAllString(line, -1) {
		span = strings.Trim(span, "`")
		m := lineForm.FindStringSubmatch(span)
		_, known := config.Lookup(span)
		switch {
		case m != nil:
			names = append(names, m[1])
		case camel.MatchString(span) || known:
			names = append(names, span)
		}
	}
	return names
}
