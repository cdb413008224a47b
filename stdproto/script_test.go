package stdproto_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// A flight is a transcript of testdata/flights: what it is about, a config, and who
// says what.
//
//	A sentence or two.
//	Real stunnel does the same.   if it does: TestStunnelFlights holds it to that
//	-- conf --
//	client = yes                  service options; protocolPassword is a secret
//	guestOption = detectTLS=200
//	info.peer_addr = 192.0.2.7:999    facts, by the names of abi.Infos
//	fact.user = joe               what another guest annotated before
//	resolve.NAME = ADDRESS ...    what resolve knows; other names do not resolve
//	-- talk --
//	connect refused               how the first dial goes, and the next line of the kind the
//	                              second, wherever they stand: refused, unreachable, unresolved,
//	                              timeout, denied, broken or ok; those not told of succeed
//	S: TEXT                       the server, on the outgoing side, sends a line
//	S< TEXT                       the server must receive this line
//	L: TEXT, L< TEXT              the same for the accepted side
//	tls S, tls L                  the guest starts TLS on that side, and it succeeds
//	eof S, eof L                  that side sends no more
//	wait MS                       nothing happens for so long
//	annotate KEY "VALUE"          what the guest told the host, in this order
//	log LEVEL "TEXT"
//	target "HOST:PORT"
//	alpn NAME ...                 the application protocols of the handshake that follows
//	close: CLASS "REASON"         how it ends: refused, or
//	relay                         handed over, and then
//	unread L: TEXT                what the relay finds received already
//	allow                         what a policy decides, whose facts conf tells
//	deny: CLASS "REASON"
//	-- bytes --
//
// TEXT is a line without its CR LF, or bytes as they are in Go's double quotes, with
// *N for so many times. All must be as written: what a guest sends beside it fails
// the flight. Each is run twice, with reads that give what there is and with reads
// that give one byte; where the second differs, its talk is in the section bytes.
type flight struct {
	config, secrets map[string]string
	info            map[abi.InfoID]string
	facts           map[string]string
	names           map[string][]netip.Addr
	talk, bytes     []step
	stunnel         bool // real stunnel does the same
}

// A step is a line of a talk.
type step struct {
	line int
	verb string // "S:", "L<", "tls", "close:", ...
	rest string
}

func parseFlight(text string) (*flight, error) {
	f := &flight{config: map[string]string{"client": "no", "service": "flight"}, secrets: map[string]string{},
		info: map[abi.InfoID]string{}, facts: map[string]string{}, names: map[string][]netip.Addr{}}
	section := "" // what stands before the first section says what the flight is about
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if name, ok := strings.CutPrefix(line, "-- "); ok {
			section = strings.TrimSuffix(name, " --")
			continue
		}
		switch section {
		case "":
			f.stunnel = f.stunnel || line == "Real stunnel does the same."
		case "conf":
			if err := f.parseConf(line); err != nil {
				return nil, err
			}
		case "talk":
			f.talk = append(f.talk, parseStep(i+1, line))
		case "bytes":
			f.bytes = append(f.bytes, parseStep(i+1, line))
		default:
			return nil, fmt.Errorf("unknown section %q", section)
		}
	}
	if len(f.talk) == 0 {
		return nil, fmt.Errorf("no talk")
	}
	if f.bytes == nil {
		f.bytes = f.talk
	}
	return f, nil
}

func (f *flight) parseConf(line string) error {
	name, value, ok := strings.Cut(line, "=")
	if !ok {
		return fmt.Errorf("conf: %q is no option", line)
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if kind, rest, ok := strings.Cut(name, "."); ok {
		return f.parseFact(kind, rest, value)
	}
	switch key := strings.ToLower(name); key {
	case "guestoption":
		option, setting, _ := strings.Cut(value, "=")
		m, key := f.config, "option."+option
		if abi.SecretOption(option) {
			m = f.secrets
		}
		if before, ok := m[key]; ok {
			setting = before + "\n" + setting
		}
		m[key] = setting
	case "protocolheader":
		if before, ok := f.config[key]; ok {
			value = before + "\n" + value
		}
		f.config[key] = value
	case "protocolpassword":
		f.secrets[key] = value
	default:
		f.config[key] = value
	}
	return nil
}

// parseFact takes a line of conf that has a dot in its name.
func (f *flight) parseFact(kind, name, value string) error {
	switch kind {
	case "info":
		for _, i := range abi.Infos {
			if i.Name == name {
				f.info[i.ID] = strings.ReplaceAll(value, `\n`, "\n")
				return nil
			}
		}
	case "fact":
		f.facts[name] = value
		return nil
	case "resolve":
		for word := range strings.FieldsSeq(value) {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return err
			}
			f.names[name] = append(f.names[name], a)
		}
		return nil
	}
	return fmt.Errorf("conf: no fact %s.%s", kind, name)
}

func parseStep(number int, line string) step {
	verb, rest, _ := strings.Cut(line, " ")
	if verb == "unread" {
		side, text, _ := strings.Cut(rest, " ")
		verb, rest = verb+" "+side, text
	}
	return step{number, verb, rest}
}

// text is what a step puts on the wire.
func (s step) text() (string, error) {
	if !strings.HasPrefix(s.rest, `"`) {
		return s.rest + "\r\n", nil
	}
	quoted, err := strconv.QuotedPrefix(s.rest)
	if err != nil {
		return "", fmt.Errorf("line %d: %q: %w", s.line, s.rest, err)
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return "", fmt.Errorf("line %d: %q: %w", s.line, s.rest, err)
	}
	if times, ok := strings.CutPrefix(s.rest[len(quoted):], "*"); ok {
		n, err := strconv.Atoi(times)
		if err != nil {
			return "", fmt.Errorf("line %d: %q: %w", s.line, s.rest, err)
		}
		return strings.Repeat(text, n), nil
	}
	return text, nil
}
