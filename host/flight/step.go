package flight

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// A Step is a line of a talk.
type Step struct {
	Line int
	Verb string // "S:", "L<", "tls", "close:", "unread L:", ...
	Rest string // what follows it
	Text string // what it puts on the wire, if the verb is one that does
}

// A verb says how a step's rest is read, and whether a talk may end with it.
type verb struct {
	text  bool                   // the rest is TEXT
	ends  bool                   // a talk may end here
	check func(rest string) bool // nil: any
}

// verbs is the one place that a step is added to, with [player.step].
var verbs = map[string]verb{
	"L:": {text: true}, "S:": {text: true}, "L<": {text: true}, "S<": {text: true},
	"L~": {check: isCount}, "S~": {check: isCount},
	"tls": {check: isSide}, "eof": {check: isSide},
	"wait":     {check: func(rest string) bool { _, ok := milliseconds(rest); return ok }},
	"connect":  {check: func(rest string) bool { _, ok := dialErrors[rest]; return ok || rest == "ok" }},
	"annotate": {}, "log": {}, "target": {}, "alpn": {},
	"relay":     {ends: true, check: func(rest string) bool { return rest == "" || rest == unconnected }},
	"unread L:": {text: true, ends: true}, "unread S:": {text: true, ends: true},
	"close:": {ends: true},
	"allow":  {ends: true, check: func(rest string) bool { return rest == "" }},
	"deny:":  {ends: true},
}

// unconnected says of a relay that the guest left dialling to the host.
const unconnected = "unconnected"

// maxText is the most bytes that a step may say. No guest may pass as many before TLS
// by default; what *N asks for beyond it is a mistake, or an attack on the reader.
const maxText = 16 << 20

// maxWait is the longest step wait, in milliseconds: a day, far beyond any time-out.
const maxWait = 24 * 60 * 60 * 1000

func appendStep(talk []Step, number int, line string) ([]Step, error) {
	s := Step{Line: number}
	s.Verb, s.Rest, _ = strings.Cut(line, " ")
	if s.Verb == "unread" {
		side, text, _ := strings.Cut(s.Rest, " ")
		s.Verb, s.Rest = s.Verb+" "+side, text
	}
	v, ok := verbs[s.Verb]
	if !ok {
		return nil, fmt.Errorf("there is no step %q", s.Verb)
	}
	if v.check != nil && !v.check(s.Rest) {
		return nil, fmt.Errorf("step %s cannot be %q", s.Verb, s.Rest)
	}
	if v.text {
		var err error
		if s.Text, err = unquote(s.Rest); err != nil {
			return nil, err
		}
	}
	return append(talk, s), nil
}

// Side is the side that a step is about.
func (s Step) Side() abi.Side {
	name := strings.TrimPrefix(s.Verb, "unread ")
	if s.Verb == "tls" || s.Verb == "eof" {
		name = s.Rest
	}
	if strings.HasPrefix(name, "S") {
		return abi.Outgoing
	}
	return abi.Accepted
}

func isCount(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0 && n <= maxText
}

func isSide(name string) bool { return name == "L" || name == "S" }

// letter names a side in transcripts.
func letter(side abi.Side) string {
	if side == abi.Outgoing {
		return "S"
	}
	return "L"
}

func milliseconds(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= maxWait
}

// unquote reads TEXT: a line without its line end, or quoted bytes with *N for how often.
func unquote(text string) (string, error) {
	if !strings.HasPrefix(text, `"`) {
		return text + "\r\n", nil
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", fmt.Errorf("reading %.100q: %w", text, err)
	}
	bytes, err := strconv.Unquote(quoted)
	if err != nil {
		return "", fmt.Errorf("reading %.100q: %w", text, err)
	}
	rest := text[len(quoted):]
	if rest == "" {
		return bytes, nil
	}
	times, ok := strings.CutPrefix(rest, "*")
	n, err := strconv.Atoi(times)
	if !ok || err != nil || n < 0 || n > maxText || n*len(bytes) > maxText {
		return "", fmt.Errorf("reading %.100q: what follows the quotes is no *N", text)
	}
	return strings.Repeat(bytes, n), nil
}

// Quote writes bytes as TEXT: as a line if they are a plain one, else in quotes.
func Quote(text []byte) string {
	line, ok := strings.CutSuffix(string(text), "\r\n")
	plain := ok && !strings.HasPrefix(line, `"`) && !strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' })
	if plain {
		return line
	}
	return strconv.QuoteToASCII(string(text))
}
