package manual

import (
	"fmt"
	"io"
	"strings"
)

// helpWidth is the width of a terminal that nobody has made wider.
const helpWidth = 79

// WriteOption writes what -help NAME prints of an option. It tells whether there is one
// of that name.
func WriteOption(w io.Writer, name string) (bool, error) {
	themes, err := Themes()
	if err != nil {
		return false, err
	}
	e, ok := find(themes, name)
	if !ok {
		return false, nil
	}
	var b strings.Builder
	for block := range strings.SplitSeq(strings.Trim(e.markdown(), "\n"), "\n\n") {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if strings.HasPrefix(block, codeIndent) {
			b.WriteString(block + "\n")
			continue
		}
		plain(&b, block)
	}
	_, err = io.WriteString(w, b.String())
	return true, err
}

// plain writes a paragraph or a list without Markdown's signs, wrapped.
func plain(b *strings.Builder, text string) {
	text = markdownLink.ReplaceAllString(text, "$1")
	text = strings.NewReplacer("`", "", "**", "").Replace(text)
	for item := range strings.SplitSeq(text, "\n- ") {
		width := 0
		if strings.HasPrefix(text, "- ") && !strings.HasPrefix(item, "- ") {
			item = "- " + item
		}
		for _, word := range strings.Fields(item) {
			if width > 0 && width+1+len(word) > helpWidth {
				b.WriteByte('\n')
				width = 0
			}
			if width > 0 {
				b.WriteByte(' ')
				width++
			}
			b.WriteString(word)
			width += len(word)
		}
		fmt.Fprintln(b)
	}
}
