// Package flight reads transcripts of negotiations and plays them against a guest,
// in memory: both peers say what the script says, and the guest must answer as the
// script has it. A transcript is regression test, bug report and documentation in one
// file.
//
// It is text, in the layout of txtar: what it is about, a config, and who says what.
//
//	A sentence or two.
//	Real stunnel does the same.   if it does, for the tests that check it
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
//	S~ N, L~ N                    that side receives N bytes that nobody can foretell
//	tls S, tls L                  the guest starts TLS on that side, and it succeeds
//	eof S, eof L                  that side sends no more
//	wait MS                       nothing happens for so long
//	annotate KEY "VALUE"          what the guest told the host, in this order
//	log LEVEL "TEXT"
//	target "HOST:PORT"
//	alpn NAME ...                 the application protocols of the handshake that follows
//	close: CLASS "REASON"         how it ends: refused, or
//	relay                         handed over (relay unconnected: without having dialled), and then
//	unread L: TEXT                what the relay finds received already
//	allow                         what a policy decides, whose facts conf tells
//	deny: CLASS "REASON"
//	-- bytes --
//
// TEXT is a line without its CR LF, or bytes as they are in Go's double quotes, with
// *N for so many times. All must be as written: what a guest sends beside it fails
// the flight. Each is meant to be played twice, with reads that give what there is and
// with reads that give one byte; where the second differs, its talk is in the section
// bytes.
//
// A peer only speaks when the guest has done all that it can do without it. The
// connections know: the host sets a deadline before each wait for a peer, and a read
// that finds nothing waits. No clock is asked, so that a flight goes the same way
// every time, in a bubble of testing/synctest and out of it; out of it, a step wait
// takes its time.
package flight

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// A Flight is one transcript.
type Flight struct {
	About           string // what stands before the first section
	Config, Secrets map[string]string
	Info            map[abi.InfoID]string
	Facts           map[string]string
	Names           map[string][]netip.Addr
	Talk            []Step
	Bytes           []Step // the talk when reads give one byte
	Stunnel         bool   // real stunnel does the same
}

// stunnelMark is the line of a transcript that real stunnel is held to as well.
const stunnelMark = "Real stunnel does the same."

// New makes a flight of defaults: server mode, and nobody says anything.
func New() *Flight {
	return &Flight{
		Config: map[string]string{abi.KeyClient: "no", abi.KeyService: "flight"}, Secrets: map[string]string{},
		Info: map[abi.InfoID]string{}, Facts: map[string]string{}, Names: map[string][]netip.Addr{},
	}
}

// Parse reads a transcript. Errors name the line.
func Parse(text string) (*Flight, error) {
	f := New()
	section := ""
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if name, ok := strings.CutPrefix(line, "-- "); ok {
			section = strings.TrimSuffix(name, " --")
			continue
		}
		var err error
		switch section {
		case "":
			f.Stunnel = f.Stunnel || line == stunnelMark
			f.About += line + "\n"
		case "conf":
			err = f.Set(line)
		case "talk":
			f.Talk, err = appendStep(f.Talk, i+1, line)
		case "bytes":
			f.Bytes, err = appendStep(f.Bytes, i+1, line)
		default:
			err = fmt.Errorf("unknown section %q", section)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if f.Bytes == nil {
		f.Bytes = f.Talk
	}
	for _, talk := range [][]Step{f.Talk, f.Bytes} {
		if len(talk) == 0 {
			return nil, fmt.Errorf("no talk")
		}
		for i, s := range talk[1:] {
			if verbs[talk[i].Verb].ends && !strings.HasPrefix(s.Verb, "unread ") {
				return nil, fmt.Errorf("line %d: %s stands behind the end: only unread may", s.Line, s.Verb)
			}
		}
		if last := talk[len(talk)-1]; !verbs[last.Verb].ends {
			return nil, fmt.Errorf("line %d: the talk does not say how it ends: with \"relay\" or \"close: CLASS REASON\" (a policy with \"allow\" or \"deny: CLASS REASON\")", last.Line)
		}
	}
	return f, nil
}

// Says is all that each side says, by side.
func (f *Flight) Says() (all [2][]byte) {
	for _, s := range f.Talk {
		if s.Verb == "L:" || s.Verb == "S:" {
			all[s.Side()] = append(all[s.Side()], s.Text...)
		}
	}
	return all
}
