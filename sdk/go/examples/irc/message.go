package main

import "strings"

// A message is what a line of IRC says (RFC 1459 section 2.3.1). Who said it and with
// which tags does not matter before TLS.
type message struct {
	verb   string // a command in upper case, or three digits
	params []string
}

func parse(line string) message {
	for _, mark := range []string{"@", ":"} { // tags, then the source
		if strings.HasPrefix(line, mark) {
			_, line, _ = strings.Cut(line, " ")
			line = strings.TrimLeft(line, " ")
		}
	}
	verb, rest, _ := strings.Cut(line, " ")
	m := message{verb: strings.ToUpper(verb)}
	for {
		rest = strings.TrimLeft(rest, " ")
		if rest == "" {
			return m
		}
		if rest[0] == ':' { // the last parameter, which may have spaces
			m.params = append(m.params, rest[1:])
			return m
		}
		var param string
		param, rest, _ = strings.Cut(rest, " ")
		m.params = append(m.params, param)
	}
}

// param is a parameter, or empty.
func (m message) param(i int) string {
	if i < len(m.params) {
		return m.params[i]
	}
	return ""
}

// last is the last parameter: a sentence for people, where there is one.
func (m message) last() string { return m.param(len(m.params) - 1) }
