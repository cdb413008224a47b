package suite

import (
	"errors"
	"fmt"
	"strings"
)

// A List is what a cipher list chooses.
type List struct {
	Suites  []*Suite // best first
	Level   int      // of @SECLEVEL=; -1: not said
	Ordered bool     // the list says something of the order, by + or @STRENGTH
	Unknown []string // words that name nothing, and so did nothing
	named   map[*Suite]bool
}

// Named tells whether the list spells out a suite, and not only words for many.
func (l *List) Named(s *Suite) bool { return l.named[s] }

// What OpenSSL says of a list that it refuses.
var (
	ErrCommand = errors.New("invalid command")
	ErrNone    = errors.New("no cipher match")
)

// defaultList is what DEFAULT at the start of a list stands for.
const defaultList = "ALL:!COMPLEMENTOFDEFAULT:!eNULL"

// isSeparator tells what ends a rule.
func isSeparator(c byte) bool { return c == ':' || c == ' ' || c == ';' || c == ',' }

// isWord tells what names are made of.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.=", c) >= 0
}

// Parse reads a cipher list as OpenSSL does (openssl-ciphers(1), "CIPHER LIST FORMAT").
// Rules stand between colons, commas, semicolons or blanks: a name or alias adds suites, - takes
// them back, ! for good, + moves them to the end, a+b means what is in both. Words that
// name nothing are passed over, unless nothing is left in the end: ErrNone, which comes
// with the List that has the words. ErrCommand is a rule that cannot be read.
func Parse(text string) (*List, error) {
	p := &parser{order: preference(), out: &List{Level: -1, named: map[*Suite]bool{}}}
	if rest, ok := strings.CutPrefix(text, "DEFAULT"); ok {
		// OpenSSL looks no further than the seven letters.
		if err := p.rules(defaultList); err != nil {
			return nil, err
		}
		text = strings.TrimPrefix(rest, ":")
	}
	if err := p.rules(text); err != nil {
		return nil, err
	}
	for _, e := range p.order {
		if e.chosen {
			p.out.Suites = append(p.out.Suites, e.Suite)
		}
	}
	if len(p.out.Suites) == 0 {
		return p.out, ErrNone
	}
	return p.out, nil
}

type parser struct {
	order list
	out   *List
	text  string // what is left of it
}

// word cuts a word off the text.
func (p *parser) word() string {
	n := 0
	for n < len(p.text) && isWord(p.text[n]) {
		n++
	}
	w := p.text[:n]
	p.text = p.text[n:]
	return w
}

// skip drops the rest of a rule.
func (p *parser) skip() {
	for p.text != "" && !isSeparator(p.text[0]) {
		p.text = p.text[1:]
	}
}

func (p *parser) rules(text string) error {
	p.text = text
	for p.text != "" {
		op := p.text[0]
		if isSeparator(op) {
			p.text = p.text[1:]
			continue
		}
		switch op {
		case '-', '+', '!', '@':
			p.text = p.text[1:]
		default:
			op = 0
		}
		if op == '@' {
			if err := p.command(); err != nil {
				return err
			}
			continue
		}
		if err := p.rule(op); err != nil {
			return err
		}
	}
	return nil
}

// command does @STRENGTH and @SECLEVEL=n.
func (p *parser) command() error {
	w := p.word()
	level, isLevel := strings.CutPrefix(w, "SECLEVEL=")
	switch {
	case w == "STRENGTH":
		p.order = p.order.sort()
		p.out.Ordered = true
	case isLevel && len(level) == 1 && level[0] >= '0' && level[0] <= '5':
		p.out.Level = int(level[0] - '0')
	default:
		return fmt.Errorf("%w: %q", ErrCommand, "@"+w)
	}
	p.skip()
	return nil
}

// rule does one rule without its operator, a name or several joined by plus signs.
func (p *parser) rule(op byte) error {
	var q pattern
	for {
		w := p.word()
		if w == "" {
			if p.text == "" {
				return fmt.Errorf("%w: a name is missing at the end", ErrCommand)
			}
			return fmt.Errorf("%w: %q where a name should begin", ErrCommand, p.text[:1])
		}
		next, one, known := p.lookup(w)
		if !known || !q.narrow(next, one) {
			p.skip()
			return nil
		}
		if p.text == "" || p.text[0] != '+' {
			break
		}
		p.text = p.text[1:]
	}
	if op == 0 && q.one != nil {
		p.out.named[q.one] = true
	}
	p.apply(op, func(s *Suite) bool {
		return q.picks(s) && (q.one == nil && (op != 0 || !s.Weak()) || q.one == s)
	})
	return nil
}

// lookup gives what a word stands for: properties, or one suite with its own.
func (p *parser) lookup(w string) (q selector, one *Suite, known bool) {
	if q, ok := aliases[w]; ok {
		return q, nil, true
	}
	if s := named(w); s != nil {
		return selector{kx: s.kx, auth: s.auth, enc: s.enc, mac: s.mac, bits: s.bits, flags: s.flags}, s, true
	}
	if !empty[w] {
		p.out.Unknown = append(p.out.Unknown, w)
	}
	return q, nil, false
}

func (p *parser) apply(op byte, picks func(*Suite) bool) {
	switch op {
	case 0:
		p.order = p.order.add(picks)
	case '-':
		p.order = p.order.remove(picks)
	case '!':
		p.order = p.order.kill(picks)
	case '+':
		p.order = p.order.last(picks)
		p.out.Ordered = true
	}
}
