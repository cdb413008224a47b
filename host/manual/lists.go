package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

const socketIntro = "What `socket = a|l|r:NAME=VALUE` sets. Not every system has every name; `stunnel-wasm -sockets` lists those of this one with their\n" +
	"values. What they do is told in socket(7), tcp(7), ip(7) and ipv6(7), and for Windows in Microsoft's\n" +
	"reference of getsockopt and setsockopt. A name that another system has alone is an error.\n\n"

// socketForms are the forms of values by their type.
var socketForms = map[config.SocketType]string{
	config.SocketFlag:    "yes or no",
	config.SocketInt:     "a number",
	config.SocketLinger:  "ONOFF:SECONDS",
	config.SocketTimeval: "SECONDS:MICROSECONDS",
	config.SocketString:  "a text",
}

// socketOptions is the table of what socket = sets.
func socketOptions() string {
	var b strings.Builder
	b.WriteString("| name | value | default, systems |\n| --- | --- | --- |\n")
	for _, o := range config.SocketOptions {
		var facts []string
		for _, d := range []struct{ scope, value string }{{"a", o.Accept}, {"l", o.Local}, {"r", o.Remote}} {
			if d.value != "" {
				text := fmt.Sprintf("`%s:%s=%s`", d.scope, o.Name, d.value)
				if d.scope == "a" && o.AcceptDefault("windows") == "" {
					text += " (not on Windows)"
				}
				facts = append(facts, text)
			}
		}
		if systems := o.Only(); systems != "" {
			facts = append(facts, "on "+systems+" alone")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.Name, socketForms[o.Type], strings.Join(facts, ", "))
	}
	return b.String()
}

const tlsIntro = "What `options = NAME` sets and `options = -NAME` clears.\n\n"

// tlsOptions is the table of what options = sets.
func tlsOptions() string {
	var b strings.Builder
	b.WriteString("| name | here | |\n| --- | --- | --- |\n")
	for _, o := range config.TLSOptions {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.Name, o.Status, o.Note)
	}
	return b.String()
}

const guestIntro = "What `guestOption = NAME=VALUE` sets for each bundled guest. A guest of one's own has its own names.\n\n"

// guestOptions is the table of what guestOption = sets for the bundled guests, by their
// manifests.
func guestOptions() (string, error) {
	var b strings.Builder
	b.WriteString("| guest | names |\n| --- | --- |\n")
	for _, name := range slices.Sorted(slices.Values(slices.Concat(stdproto.Names(), stdproto.Policies()))) {
		names, err := guestOptionsOf(name)
		if err != nil {
			return "", fmt.Errorf("guest %s: %w", name, err)
		}
		what := "none"
		if len(names) > 0 {
			what = "`" + strings.Join(names, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| [%s](protocols.md#%s) | %s |\n", name, name, what)
	}
	return b.String(), nil
}

// guestOptionsOf lists the names of guestOption = that a bundled guest's manifest has.
func guestOptionsOf(guest string) ([]string, error) {
	wasm, _ := stdproto.Lookup(guest)
	module, err := meter.Decode(wasm)
	if err != nil {
		return nil, err
	}
	manifest, _ := module.Custom(abi.ManifestSection)
	var names []string
	for line := range strings.Lines(string(manifest)) {
		if rest, ok := strings.CutPrefix(line, "option: guestOption = "); ok {
			name, _, _ := strings.Cut(rest, "=")
			names = append(names, name)
		}
	}
	return names, nil
}
