package stdproto_test

import (
	"strings"
	"testing"
)

// TestConfigureMailStores checks what imap, pop3 and sieve refuse, and what they warn of,
// before the first connection: they have one option, and stunnel's of a login have none.
func TestConfigureMailStores(t *testing.T) {
	for _, name := range []string{"imap", "pop3", "sieve"} {
		module := load(t, name)
		idle := `log 4 "protocolHost, protocolUsername and protocolPassword have no effect in ` + name + `"`
		for _, test := range []struct {
			name    string
			conf    []string
			refusal string // empty: accepted
			notes   string
		}{
			{name: "server"},
			{name: "client", conf: []string{"client=yes"}},
			{name: "by name", conf: []string{"sni=yes"}},
			{name: "longest detection", conf: []string{"guestOption=detectTLS=5000"}},
			{name: "detection too long", conf: []string{"guestOption=detectTLS=5001"},
				refusal: `guestOption detectTLS: "5001" is not a number of milliseconds up to 5000`},
			{name: "detection by name", conf: []string{"sni=yes", "guestOption=detectTLS=x"},
				refusal: `guestOption detectTLS: "x" is not a number of milliseconds up to 5000`},
			{name: "client detects TLS", conf: []string{"client=yes", "guestOption=detectTLS=200"},
				notes: `log 4 "guestOption detectTLS has no effect in client mode"`},
			{name: "server with host", conf: []string{"protocolHost=a.example"}, notes: idle},
			{name: "client with user", conf: []string{"client=yes", "protocolUsername=joe"}, notes: idle},
			{name: "client with password", conf: []string{"client=yes", "protocolPassword=secret"}, notes: idle},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
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
