package wrap

import (
	"fmt"
	"strings"
)

// Bounds of what is read. They are far above what any site has.
const (
	maxFile = 1 << 20 // bytes of a file
	maxLine = 2048    // bytes of a line with its continuations; what is longer is no rule
)

// separators stand between the items of a list.
const separators = ", \t\r\n"

// A rule is one line: who may, or may not, use what.
type rule struct {
	line             int
	daemons, clients []string // items, EXCEPT among them
	options          []string // "KEYWORD value", unescaped
	wrong            string   // why it is no rule; it matches nothing
}

// parse reads the rules of a file's text. A backslash at a line's end continues it; a line
// that begins with # is a comment.
func parse(text string) []rule {
	var rules []rule
	number := 0
	for text != "" {
		first := number + 1
		var line string
		for more := true; more; {
			var part string
			var ended bool
			part, text, ended = strings.Cut(text, "\n")
			number++
			more = ended && strings.HasSuffix(part, `\`)
			if more {
				part = part[:len(part)-1]
			}
			line += part
			if !ended && strings.TrimSpace(line) != "" && line[0] != '#' {
				rules = append(rules, rule{line: first, wrong: "the last line has no end: it is left out"})
				return rules
			}
		}
		if line == "" || line[0] == '#' || strings.Trim(line, separators) == "" {
			continue
		}
		rules = append(rules, parseLine(line, first))
	}
	return rules
}

func parseLine(line string, number int) rule {
	r := rule{line: number}
	if len(line) > maxLine {
		r.wrong = fmt.Sprintf("the line is longer than %d bytes: it is left out", maxLine)
		return r
	}
	fields := split(line)
	if len(fields) < 2 {
		r.wrong = `no ":" between daemons and clients: the line is left out`
		return r
	}
	r.daemons, r.clients = items(fields[0]), items(fields[1])
	for _, o := range fields[2:] {
		r.options = append(r.options, strings.TrimSpace(strings.ReplaceAll(o, `\:`, ":")))
	}
	return r
}

func items(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(separators, r) })
}

// split cuts a line at its colons, but for those within brackets, where an IPv6 address
// stands, and those behind a backslash.
func split(line string) []string {
	var fields []string
	start, depth := 0, 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '[':
			depth = 1
		case ']':
			depth = 0
		case ':':
			if depth == 0 && (i == 0 || line[i-1] != '\\') {
				fields = append(fields, line[start:i])
				start = i + 1
			}
		}
	}
	return append(fields, line[start:])
}
