package config

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/ini.v1"
)

// Limits of a configuration. stunnel has the first; the others keep a wrong path
// (a device, a log, a directory that includes itself) from filling memory.
const (
	MaxLine         = 16 << 10 // bytes of a line, as in stunnel
	MaxFileSize     = 4 << 20  // bytes of one file
	MaxFiles        = 4096     // files, included ones counted
	MaxIncludeDepth = 10       // include within include
	MaxErrors       = 1000     // reported before the rest of a file is left unread
)

// An item is one line that says something: a section's start or an option.
type item struct {
	line    int
	section bool
	name    string // the section's or the option's, as written
	value   string
	text    string // the line, trimmed; not yet fit for messages
}

// blanks are what C's isspace takes in the C locale, less the line ends. Unicode
// blanks belong to values: a path may hold one.
const blanks = " \t\v\f"

// ByteOrderMark is what editors on Windows put before a text in UTF-8.
const ByteOrderMark = "\xef\xbb\xbf"

// scan splits one file into items by stunnel's line rules. Lines that break the rules
// are reported and left out.
//
// ini.v1 by itself loses line numbers and the order between options, and it reads
// meaning into quotes, backslashes, percent signs and brackets that stunnel does not
// have. So each line is checked here, then given to ini.v1 with its number in front
// of the name, which makes every name unique, and with a bar at the outer ends, so that
// nothing in it can look like syntax.
func scan(file string, r io.Reader) ([]item, Errors) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, Errors{{File: file, Reason: fmt.Sprintf("reading configuration %q: %v", file, err)}}
	}
	if len(data) > MaxFileSize {
		return nil, Errors{{File: file, Reason: fmt.Sprintf("Configuration file %q is larger than %d bytes", file, MaxFileSize),
			Hint: "check that this is a configuration file"}}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, Errors{{File: file, Line: 1, Reason: "The file is UTF-16 encoded",
			Hint: "save it as UTF-8 or plain ASCII text"}}
	}
	lines, errs := tag(file, strings.TrimPrefix(string(data), ByteOrderMark))
	var items []item
	// ini.v1 takes time that grows with the square of the lines it gets at once.
	for chunk := range slices.Chunk(lines, chunkLines) {
		part, err := untag(chunk)
		if err != nil {
			return nil, append(errs, &Error{File: file, Reason: fmt.Sprintf("splitting configuration %q: %v", file, err)})
		}
		items = append(items, part...)
	}
	return items, errs
}

const chunkLines = 256

// A line is one that says something: its number, its text and what ini.v1 is to read.
type line struct {
	number       int
	text, tagged string
}

// tag cuts a file into lines and reports those that break the line rules.
func tag(file, src string) ([]line, Errors) {
	var lines []line
	var errs Errors
	for n := 1; src != "" && len(errs) < MaxErrors; n++ {
		var text string
		text, src, _ = strings.Cut(src, "\n")
		// As stunnel, drop CR wherever it stands.
		text = strings.ReplaceAll(text, "\r", "")
		long := len(text) >= MaxLine
		text = strings.Trim(text, blanks)
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		broken := func(reason, hint string) {
			place := Place{File: file, Line: n, Text: display(text)}
			errs = append(errs, place.Errorf("%s", reason).WithHint("%s", hint))
		}
		switch name, value, ok := strings.Cut(text, "="); {
		case long:
			text = text[:min(len(text), 40)]
			broken("Line too long", fmt.Sprintf("keep lines under %d bytes", MaxLine))
		case strings.IndexByte(text, 0) >= 0:
			broken("NUL byte in line", "save the file as UTF-8 or plain ASCII text")
		case text[0] == '[' && text[len(text)-1] == ']':
			lines = append(lines, line{n, text, fmt.Sprintf("[%d:%s|]\n", n, text[1:len(text)-1])})
		case !ok:
			broken("No '=' found", noEqualsHint(text))
		default:
			lines = append(lines, line{n, text, fmt.Sprintf("%d:%s|=|%s|\n", n,
				strings.TrimRight(name, blanks), strings.TrimLeft(value, blanks))})
		}
	}
	return lines, errs
}

func noEqualsHint(text string) string {
	if text[0] == '[' {
		return "a section's line is [NAME] and nothing after it; comments need a line of their own"
	}
	return "write NAME = VALUE; a comment starts with # or ; on a line of its own"
}

// untag has ini.v1 split tagged lines and takes the tags off again.
func untag(lines []line) ([]item, error) {
	var tagged bytes.Buffer
	texts := map[int]string{}
	for _, l := range lines {
		tagged.WriteString(l.tagged)
		texts[l.number] = l.text
	}
	f, err := ini.LoadSources(ini.LoadOptions{
		IgnoreContinuation:      true,
		IgnoreInlineComment:     true,
		PreserveSurroundedQuote: true,
		KeyValueDelimiters:      "=",
		ChildSectionDelimiter:   "\x00",
	}, tagged.Bytes())
	if err != nil {
		return nil, err
	}
	var items []item
	for i, s := range f.Sections() {
		if i > 0 { // section 0 is what stands before the first
			n, name, err := splitTag(s.Name())
			if err != nil {
				return nil, err
			}
			items = append(items, item{line: n, section: true, name: name, text: texts[n]})
		}
		for _, k := range s.Keys() {
			n, name, err := splitTag(k.Name())
			if err != nil {
				return nil, err
			}
			v := k.Value()
			if len(v) < 2 || v[0] != '|' || v[len(v)-1] != '|' {
				return nil, fmt.Errorf("line %d lost its marks", n)
			}
			items = append(items, item{line: n, name: name, value: v[1 : len(v)-1], text: texts[n]})
		}
	}
	return items, nil
}

// splitTag takes "12:name|" apart.
func splitTag(s string) (int, string, error) {
	num, name, ok := strings.Cut(s, ":")
	n, err := strconv.Atoi(num)
	if !ok || err != nil || !strings.HasSuffix(name, "|") {
		return 0, "", fmt.Errorf("a line lost its number")
	}
	return n, strings.TrimSuffix(name, "|"), nil
}

// display makes a line fit for messages: control bytes, which could drive a terminal,
// become dots as in stunnel's log, and a secret's value is replaced. The name is what
// the line starts with, so that a secret stays one when the '=' was forgotten.
func display(line string) string {
	name := line[:len(line)-len(strings.TrimLeft(line, letters))]
	if soundsSecret(name) {
		shown := redacted
		if o, ok := Lookup(name); ok && o.Shown != nil {
			_, value, _ := strings.Cut(line, "=")
			shown = o.Shown(strings.Trim(value, blanks))
		}
		return name + " = " + shown
	}
	// Of a guestOption, the name of a password can stay.
	if strings.EqualFold(name, "guestOption") {
		_, value, _ := strings.Cut(line, "=")
		if key, _, _ := strings.Cut(value, "="); soundsSecret(key) || strings.Contains(strings.ToLower(key), "password") {
			return name + " = " + printable(strings.TrimSpace(key)) + "=" + redacted
		}
	}
	return HidePIN(printable(line))
}

// HidePIN replaces the PIN in the URI of a token's object (RFC 7512), and all that follows:
// a PIN may have been written with a character in it that ends it.
func HidePIN(s string) string {
	const name = "pin-value="
	for i := 0; i+len(name) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(name)], name) {
			return s[:i+len(name)] + redacted
		}
	}
	return s
}

// printable replaces the control bytes of a text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '.'
		}
		return r
	}, s)
}

// letters are what option names are made of.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

const redacted = "<redacted>"
