package manual

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

var update = flag.Bool("update", false, "write docs/manual.md and docs/stunnel-wasm.8 anew")

// TestPages holds the committed pages to the table and the texts.
func TestPages(t *testing.T) {
	for file, write := range map[string]func(io.Writer) error{
		"../../docs/manual.md":      WriteMarkdown,
		"../../docs/stunnel-wasm.8": WriteMan,
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != b.String() {
			t.Errorf("%s is not what table and texts say: go test ./host/manual -update", file)
		}
	}
}

// TestManPage has both programs that show man pages complain of this one.
func TestManPage(t *testing.T) {
	testpeer.Need(t, "mandoc", "mandoc")
	testpeer.Need(t, "groff", "groff-base")
	for _, args := range [][]string{{"mandoc", "-Tlint"}, {"groff", "-man", "-Tutf8", "-ww", "-z"}} {
		out, err := exec.Command(args[0], append(args[1:], "../../docs/stunnel-wasm.8")...).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
}

// TestEveryOption holds the texts to the table: each option once, with an example that
// sets it.
func TestEveryOption(t *testing.T) {
	told := map[string]bool{}
	for _, theme := range themes(t) {
		for _, e := range theme.Entries {
			if told[e.Option.Name] {
				t.Errorf("%s is told of twice", e.Option.Name)
			}
			told[e.Option.Name] = true
			if !regexp.MustCompile(`(?m)^` + e.Option.Name + ` = `).MatchString(e.Example) {
				t.Errorf("%s: no example with %s = ...: %q", theme.Title, e.Option.Name, e.Example)
			}
		}
	}
	for i := range config.Options {
		if name := config.Options[i].Name; !told[name] {
			t.Errorf("%s has no example: add \"## %s\" and indented lines to a file in host/manual/text/options, then go test ./host/manual -update", name, name)
		}
	}
}

// TestExamples loads each example, alone in a section that has nothing but what it takes
// to be one.
func TestExamples(t *testing.T) {
	etc := t.TempDir()
	if err := os.Mkdir(filepath.Join(etc, "conf.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, theme := range themes(t) {
		for _, e := range theme.Entries {
			o := e.Option
			text := strings.ReplaceAll(whole(e), "/etc/stunnel", etc)
			conf, err := config.LoadReader("3", strings.NewReader(text))
			switch {
			case o.Status == config.Refused || !o.On(runtime.GOOS):
				var errs config.Errors
				if !errors.As(err, &errs) || !slices.ContainsFunc(errs, func(e *config.Error) bool {
					return strings.HasPrefix(e.Text, o.Name+" = ")
				}) {
					t.Errorf("%s, which is %v, leads to %v", o.Name, o.Status, err)
				}
			case err != nil:
				t.Errorf("%s: %v\n%s", o.Name, err, text)
			case o.Status == config.NoOp && len(conf.Notes) == 0:
				t.Errorf("%s gives no note", o.Name)
			}
		}
	}
}

// whole makes a file of an example: what a minimal section lacks is added.
func whole(e Entry) string {
	text := e.Example
	if regexp.MustCompile(`(?m)^\[`).MatchString(text) {
		return text
	}
	section := ""
	has := func(line string) bool { return strings.Contains("\n"+text, "\n"+line) }
	ends := 0
	for _, end := range []string{"accept =", "connect =", "exec =", "protocol = socks"} {
		if has(end) {
			ends++
		}
	}
	for _, line := range []string{"accept = 127.0.0.1:4433\n", "connect = 127.0.0.1:8080\n"} {
		if name, _, _ := strings.Cut(line, " "); ends < 2 && !has(name+" =") {
			section += line
			ends++
		}
	}
	if !has("client = yes") && !has("cert =") && !has("PSKsecrets =") {
		section += "cert = /etc/stunnel/server.pem\n"
	}
	if e.Option.Scope == config.GlobalScope {
		return text + "[example]\n" + section
	}
	return "[example]\n" + section + text
}

func themes(t *testing.T) []Theme {
	t.Helper()
	themes, err := Themes()
	if err != nil {
		t.Fatal(err)
	}
	return themes
}

// TestGuestOptions finds each name that a bundled guest knows in the list, with a link to
// where it is told of.
func TestGuestOptions(t *testing.T) {
	protocols, err := os.ReadFile("../../docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	list, err := guestOptions()
	if err != nil {
		t.Fatal(err)
	}
	guest, found := "", 0
	for line := range strings.Lines(string(protocols)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			guest = strings.TrimSpace(name)
		}
		if rest, ok := strings.CutPrefix(line, "- `guestOption = "); ok {
			name, _, _ := strings.Cut(rest, "=")
			found++
			if !regexp.MustCompile(fmt.Sprintf("(?m)^\\| \\[%s\\]\\(protocols.md#%s\\) \\|.*`%s`", guest, guest, name)).MatchString(list) {
				t.Errorf("%s: guestOption %s is not listed", guest, name)
			}
		}
	}
	if found < 10 {
		t.Errorf("docs/protocols.md has %d guestOptions only", found)
	}
}
