package flight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// Transcript writes the flight of a negotiation that has ended so. Secrets are redacted
// in the config and in what was said alike, so that it plays as it was recorded.
func (r *Recorder) Transcript(about string, outcome *guest.Outcome, err error) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	hide := &redactor{}
	for _, key := range slices.Sorted(maps.Keys(r.secrets)) {
		hide.learn(r.secrets[key])
	}
	for _, e := range r.events {
		if strings.HasSuffix(e.verb, ":") {
			hide.overhear(string(e.data))
		}
	}
	var b strings.Builder
	step := func(verb, rest string) {
		if rest != "" {
			verb += " " + rest
		}
		b.WriteString(verb + "\n")
	}

	fmt.Fprintf(&b, "%s\n-- conf --\n", about)
	for _, c := range r.conf {
		b.WriteString(c.name + hide.text(c.value) + "\n")
	}
	for _, i := range abi.Infos {
		if v, ok := r.infos[i.ID]; ok {
			fmt.Fprintf(&b, "info.%s = %s\n", i.Name, strings.ReplaceAll(hide.text(v), "\n", `\n`))
		}
	}
	b.WriteString("-- talk --\n")
	if slices.ContainsFunc(r.dials, func(word string) bool { return word != "ok" }) {
		for _, word := range r.dials {
			step("connect", word)
		}
	}
	for _, e := range r.events {
		switch {
		case e.data == nil:
			step(e.verb, hide.text(e.rest))
		case len(e.data) == 0: // all of it was a handshake
		default:
			lines(step, e.verb, hide.text(string(e.data)))
		}
	}
	if err != nil {
		step("close:", hide.text(Closing(err)))
		return b.String()
	}
	rest := ""
	if !r.connected {
		rest = unconnected
	}
	step("relay", rest)
	for side, unread := range outcome.Unread {
		if len(unread) > 0 {
			step("unread "+letter(abi.Side(side))+":", Quote([]byte(hide.text(string(unread)))))
		}
	}
	return b.String()
}

// lines writes bytes as steps. What the guest said is a step for each line; what it heard
// came in one go, and stays so: a peer that sends two lines at once is another peer than
// one that waits between them.
func lines(step func(verb, rest string), verb, data string) {
	if strings.HasSuffix(verb, ":") {
		step(verb, Quote([]byte(data)))
		return
	}
	for line := range strings.Lines(data) {
		step(verb, Quote([]byte(line)))
	}
}
