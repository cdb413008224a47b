package manual

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

const pageHead = `# stunnel-wasm: the manual

Made from the table of options and the texts beside it; a test keeps this page so. ` + "`man stunnel-wasm`" + ` is the
same, ` + "`stunnel-wasm -help NAME`" + ` prints what is said here of one option. Who comes from stunnel
begins with [migration.md](migration.md).

`

// WriteMarkdown writes docs/manual.md.
func WriteMarkdown(w io.Writer) error {
	body, themes, err := compose()
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, pageHead+index(themes)+body)
	return err
}

// compose joins the texts and the tables, in Markdown: "##" a chapter, "###" a theme,
// "####" an option.
func compose() (string, []Theme, error) {
	themes, err := Themes()
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	chapter := func(_, text string) error {
		fmt.Fprintf(&b, "\n#%s\n", strings.TrimSpace(strings.ReplaceAll(text, "\n## ", "\n### ")))
		return nil
	}
	if err := each("before", chapter); err != nil {
		return "", nil, err
	}
	b.WriteString("\n## Options of the configuration file\n\n" + optionsIntro)
	for _, theme := range themes {
		fmt.Fprintf(&b, "\n### %s\n", theme.Title)
		if theme.Intro != "" {
			fmt.Fprintf(&b, "\n%s\n", theme.Intro)
		}
		for _, e := range theme.Entries {
			fmt.Fprintf(&b, "\n#### %s\n\n%s", e.Option.Name, e.markdown())
		}
	}
	b.WriteString("\n## Names of socket\n\n" + socketIntro + socketOptions())
	b.WriteString("\n## Names of options\n\n" + tlsIntro + tlsOptions())
	guests, err := guestOptions()
	if err != nil {
		return "", nil, err
	}
	b.WriteString("\n## Names of guestOption\n\n" + guestIntro + guests)
	if err := each("after", chapter); err != nil {
		return "", nil, err
	}
	return b.String(), themes, nil
}

const optionsIntro = "A global option stands before the first section. A service option stands in a section, or before the first one as the\n" +
	"default of all that follow. An option that may be repeated makes a list, to which each line adds; of any other one a section has one line.\n" +
	"Where an example shows no section, its lines are to be put into one.\n"

// markdown gives an option's row, its text and its example.
func (e *Entry) markdown() string {
	o := e.Option
	facts := []string{o.Scope.String() + " option"}
	if o.List {
		facts = append(facts, "may be repeated")
	}
	if len(o.Aliases) > 0 {
		facts = append(facts, "also `"+strings.Join(o.Aliases, "`, `")+"`")
	}
	if o.Default != "" {
		facts = append(facts, "default `"+o.Default+"`")
	}
	if system := o.Only(); system != "" {
		facts = append(facts, "on "+system+" alone")
	}
	switch {
	case o.Shown != nil:
		facts = append(facts, "of the value only the name is ever printed")
	case o.Secret:
		facts = append(facts, "the value is never printed")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "`%s = %s`: %s\n\n%s.", o.Name, o.Form, strings.Join(facts, ", "), capital(o.Doc))
	switch o.Status {
	case config.Works:
		b.WriteByte('\n')
	case config.NoOp:
		fmt.Fprintf(&b, " **Accepted, without effect:** %s.\n", o.Note)
	case config.Refused:
		fmt.Fprintf(&b, " **Refused:** %s.\n", o.Note)
	}
	if e.Text != "" {
		fmt.Fprintf(&b, "\n%s\n", e.Text)
	}
	b.WriteByte('\n')
	for line := range strings.Lines(e.Example) {
		b.WriteString(strings.TrimRight(codeIndent+line, " \n") + "\n")
	}
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// index lists every option with a link to what is said of it.
func index(themes []Theme) string {
	var names []string
	for _, theme := range themes {
		for _, e := range theme.Entries {
			names = append(names, e.Option.Name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	var b strings.Builder
	initial := ""
	for _, name := range names {
		separator := " ·\n"
		if first := strings.ToUpper(name[:1]); first != initial {
			if separator = "\n\n"; initial == "" {
				separator = ""
			}
			initial = first
		}
		fmt.Fprintf(&b, "%s[%s](#%s)", separator, name, strings.ToLower(name))
	}
	return b.String() + "\n"
}
