// Package manual makes the user's manual: docs/manual.md, the man page
// docs/stunnel-wasm.8, and what -help NAME prints.
//
// What an option is called, where it may stand, the form of its value, its default and
// what becomes of it here come from the table in package config; so do the lists of
// socket and TLS options. What an operator needs beyond that, and an example of each
// option, are in the folder text, in Markdown: a file a theme, a "##" heading an option.
// An option without an example, and a text without an option, fail the tests.
package manual

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

//go:embed text
var texts embed.FS

// A Theme is a chapter about options that belong together.
type Theme struct {
	Title   string
	Intro   string // Markdown; may be empty
	Entries []Entry
}

// An Entry is what the manual knows of an option beyond its row in the table.
type Entry struct {
	Option  *config.Option
	Text    string // Markdown; may be empty, for the row says it all
	Example string // lines of a configuration file
}

// Themes reads the chapters about options, in the manual's order.
func Themes() ([]Theme, error) {
	var themes []Theme
	err := each("options", func(name, text string) error {
		title, rest, ok := strings.Cut(text, "\n")
		title, heading := strings.CutPrefix(title, "# ")
		if !ok || !heading {
			return fmt.Errorf("%s does not begin with a heading", name)
		}
		parts := strings.Split("\n"+rest, "\n## ")
		theme := Theme{Title: title, Intro: strings.TrimSpace(parts[0])}
		for _, part := range parts[1:] {
			option, body, _ := strings.Cut(part, "\n")
			o, ok := config.Lookup(option)
			if !ok || o.Name != option {
				return fmt.Errorf("%s tells of %q, which is not the name of an option", name, option)
			}
			e := Entry{Option: o}
			e.Text, e.Example = split(body)
			theme.Entries = append(theme.Entries, e)
		}
		themes = append(themes, theme)
		return nil
	})
	return themes, err
}

// split takes the example off a text: the indented lines that it ends with.
func split(body string) (text, example string) {
	lines := strings.Split(strings.Trim(body, "\n"), "\n")
	i := len(lines)
	for i > 0 && (strings.HasPrefix(lines[i-1], codeIndent) || lines[i-1] == "") {
		i--
	}
	var b strings.Builder
	for _, line := range lines[i:] {
		if b.Len() > 0 || line != "" {
			b.WriteString(strings.TrimPrefix(line, codeIndent) + "\n")
		}
	}
	return strings.TrimSpace(strings.Join(lines[:i], "\n")), b.String()
}

// find gives what the manual knows of an option, by any of its names.
func find(themes []Theme, name string) (Entry, bool) {
	o, ok := config.Lookup(name)
	if !ok {
		return Entry{}, false
	}
	for _, theme := range themes {
		if i := slices.IndexFunc(theme.Entries, func(e Entry) bool { return e.Option == o }); i >= 0 {
			return theme.Entries[i], true
		}
	}
	return Entry{}, false
}

// each goes through the texts of a folder in the order of their names.
func each(folder string, do func(name, text string) error) error {
	return fs.WalkDir(texts, "text/"+folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(texts, name)
		if err != nil {
			return err
		}
		return do(name, string(text))
	})
}
