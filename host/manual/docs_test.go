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
	"wait":         "a setting of xinetd",
	"user":         "a setting of xinetd",
	"server":       "a setting of xinetd",
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

// exampled are documents whose examples have tests of their own.
var exampled = []string{"manual.md", "migration.md"}

// TestDocumentsExamples loads what reads as a configuration file in all other documents:
// somebody will type it as it stands.
func TestDocumentsExamples(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return slices.Contains(exampled, filepath.Base(f)) })
	loaded := 0
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range configurations(string(text)) {
			loaded++
			if !strings.Contains(example, "[") {
				example += "[example]\nclient = yes\naccept = 1\nconnect = 2\n"
			}
			if _, err := config.LoadReader("3", strings.NewReader(example)); err != nil {
				t.Errorf("%s: %v\n%s", file, err, example)
			}
		}
	}
	if loaded < 14 {
		t.Errorf("only %d examples were found", loaded)
	}
}

// exampleLine is a line of a configuration file: a section's, an option's, a comment or none.
var exampleLine = regexp.MustCompile(`^(\[[^\]]+\]|[A-Za-z]+ += .*|;.*|)$`)

// configurations gives the indented and fenced blocks of a document in which every line is
// that of a configuration file.
func configurations(text string) (all []string) {
	var block []string
	end := func() {
		options := slices.ContainsFunc(block, lineForm.MatchString)
		other := slices.ContainsFunc(block, func(l string) bool { return !exampleLine.MatchString(l) })
		if options && !other {
			all = append(all, strings.Join(block, "\n")+"\n")
		}
		block = nil
	}
	fenced := false
	for line := range strings.Lines(text + "\nend\n") {
		line = strings.TrimRight(line, "\n")
		code, indented := strings.CutPrefix(line, codeIndent)
		switch {
		case strings.HasPrefix(line, "```"):
			end()
			fenced = !fenced
		case fenced:
			block = append(block, line)
		case indented:
			block = append(block, code)
		case line == "" && block != nil:
			block = append(block, "")
		default:
			end()
		}
	}
	return all
}
