package manual

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// manDate is when what the man page says last changed in more than wording.
const manDate = "2026-11-25"

// manWidth is how long input lines get: mandoc complains of more than 80 bytes.
const manWidth = 78

// codeIndent is what lines of code begin with in Markdown.
const codeIndent = "    "

// WriteMan writes docs/stunnel-wasm.8, in the macros of man(7), which groff and mandoc
// read alike.
func WriteMan(w io.Writer) error {
	body, _, err := compose()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, ".\\\" Made from the table of options: go test ./host/manual -update\n.TH STUNNEL-WASM 8 %s stunnel-wasm \"stunnel-wasm manual\"\n", manDate)
	// Long words would tear holes into lines with an even right margin.
	b.WriteString(".ad l\n.SH NAME\nstunnel\\-wasm \\- TLS proxy that runs stunnel configuration files\n")
	toMan(&b, body)
	_, err = io.WriteString(w, b.String())
	return err
}

// toMan turns the manual's Markdown into man(7): headings, paragraphs, code, lists of
// one level and tables, which become lists of what is in their first column.
func toMan(b *strings.Builder, markdown string) {
	inOption := false
	// paragraph begins one, at the depth of what it belongs to.
	paragraph := func() {
		if inOption {
			b.WriteString(".IP\n")
			return
		}
		b.WriteString(".PP\n")
	}
	afterHeading := true
	for block := range strings.SplitSeq(markdown, "\n\n") {
		block = strings.Trim(block, "\n")
		switch {
		case block == "":
		case strings.HasPrefix(block, "#### "):
			fmt.Fprintf(b, ".TP\n%s\n", bold(strings.TrimPrefix(block, "#### ")))
			inOption, afterHeading = true, true
			continue
		case strings.HasPrefix(block, "### "):
			fmt.Fprintf(b, ".SS %s\n", quoted(strings.TrimPrefix(block, "### ")))
			inOption, afterHeading = false, true
			continue
		case strings.HasPrefix(block, "## "):
			fmt.Fprintf(b, ".SH %s\n", quoted(strings.ToUpper(strings.TrimPrefix(block, "## "))))
			inOption, afterHeading = false, true
			continue
		case strings.HasPrefix(block, codeIndent):
			if !afterHeading {
				paragraph()
			}
			b.WriteString(".EX\n")
			for line := range strings.SplitSeq(block, "\n") {
				b.WriteString(strings.TrimRight(guarded(escape(line)), " ") + "\n")
			}
			b.WriteString(".EE\n")
		case strings.HasPrefix(block, "| "):
			for i, line := range strings.Split(block, "\n") {
				if i >= 2 { // the head and the rule below it
					cells := strings.Split(strings.Trim(line, "| "), " | ")
					fmt.Fprintf(b, ".TP\n%s\n", inline(cells[0]))
					filled(b, strings.TrimRight(strings.Join(cells[1:], "; "), "; |"))
				}
			}
		case strings.HasPrefix(block, "- "):
			for item := range strings.SplitSeq(strings.TrimPrefix(block, "- "), "\n- ") {
				b.WriteString(".IP \\(bu 2\n")
				filled(b, item)
			}
			inOption = false
		default:
			if !afterHeading {
				paragraph()
			}
			filled(b, block)
		}
		afterHeading = false
	}
}

// filled writes a paragraph in lines of a width that mandoc likes.
func filled(b *strings.Builder, text string) {
	line := ""
	for _, word := range strings.Fields(inline(text)) {
		if line != "" && len(line)+1+len(word) > manWidth {
			b.WriteString(guarded(line) + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line == "" {
		line = `\&`
	}
	b.WriteString(guarded(line) + "\n")
}

var (
	markdownLink = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
	markdownBold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// inline turns links into their text, and code and stress into bold letters.
func inline(text string) string {
	text = markdownLink.ReplaceAllString(text, "$1")
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			b.WriteString(bold(part))
			continue
		}
		b.WriteString(markdownBold.ReplaceAllString(escape(part), `\fI$1\fR`))
	}
	return b.String()
}

// bold marks what is typed. Lists that have no blank may be broken at their colons.
func bold(text string) string {
	text = escape(text)
	if len(text) > manWidth/2 && !strings.Contains(text, " ") {
		text = strings.ReplaceAll(text, ":", `:\:`)
	}
	return `\fB` + text + `\fR`
}

func quoted(text string) string { return `"` + strings.ReplaceAll(inline(text), `"`, `\(dq`) + `"` }

// escape has roff print what stands there.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
}

// guarded keeps a line from being taken for a request.
func guarded(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}
