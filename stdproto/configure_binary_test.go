package stdproto_test

import (
	"strings"
	"testing"
)

// TestConfigureBinary checks what the guests of protocols without lines refuse, and what
// they warn of, before the first connection.
func TestConfigureBinary(t *testing.T) {
	type test struct {
		name    string
		conf    []string
		refusal string // empty: accepted
		notes   string
	}
	// idle is what all of them say of stunnel's options of a login.
	idle := func(protocol string) []test {
		warning := `log 4 "protocolHost, protocolUsername and protocolPassword have no effect in ` + protocol + `"`
		return []test{
			{name: "server"},
			{name: "client", conf: []string{"client=yes"}},
			{name: "server with host", conf: []string{"protocolHost=a.example"}, notes: warning},
			{name: "client with user", conf: []string{"client=yes", "protocolUsername=joe"}, notes: warning},
			{name: "client with password", conf: []string{"client=yes", "protocolPassword=secret"}, notes: warning},
		}
	}
	for protocol, own := range map[string][]test{
		"cifs": {{name: "by name", conf: []string{"sni=yes"}}},
		"ldap": {{name: "by name", conf: []string{"sni=yes"}}},
		"mysql": {{name: "by name", conf: []string{"sni=yes"},
			refusal: "the server greets before TLS, so that no service with sni can choose it"}},
		"pgsql": {
			{name: "by name", conf: []string{"sni=yes"}},
			{name: "client direct", conf: []string{"client=yes", "guestOption=direct=yes"}},
			{name: "client not direct", conf: []string{"client=yes", "guestOption=direct=no"}},
			{name: "direct of another word", conf: []string{"client=yes", "guestOption=direct=maybe"},
				refusal: `guestOption direct: "maybe" is neither yes nor no`},
			{name: "direct empty", conf: []string{"client=yes", "guestOption=direct="},
				refusal: `guestOption direct: "" is neither yes nor no`},
			{name: "direct long", conf: []string{"client=yes", "guestOption=direct=yes, if it can be had"},
				refusal: `guestOption direct: "yes, if it can b" is neither yes nor no`},
			{name: "server direct", conf: []string{"guestOption=direct=yes"},
				notes: `log 4 "guestOption direct has no effect in server mode, which takes both kinds of clients"`},
		},
	} {
		module := load(t, protocol)
		for _, test := range append(idle(protocol), own...) {
			t.Run(protocol+"/"+test.name, func(t *testing.T) {
				refusal, notes := configure(t, module, strings.Join(test.conf, ";"))
				if refusal != test.refusal {
					t.Errorf("got refusal %q, want %q", refusal, test.refusal)
				}
				if notes != test.notes {
					t.Errorf("the guest told the host %s, want %s", notes, test.notes)
				}
			})
		}
	}
}
