package stdproto_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestConfigureLines checks what the guests of other line protocols, and xmpp, refuse and
// warn of before the first connection.
func TestConfigureLines(t *testing.T) {
	const (
		long = `guestOption detectTLS: "5001" is not a number of milliseconds up to 5000`
		idle = "guestOption detectTLS has no effect in client mode"
		none = "protocolHost, protocolUsername and protocolPassword have no effect in "
		name = "the server greets before TLS, so that no service with sni can choose it"
	)
	for _, test := range []struct {
		protocol, conf   string // lines separated by semicolons
		refusal, warning string // empty: none
	}{
		{"nntp", "guestOption=detectTLS=200", "", ""},
		{"nntp", "guestOption=detectTLS=5001", long, ""},
		{"nntp", "client=yes;guestOption=detectTLS=200", "", idle},
		{"ftp", "guestOption=detectTLS=200", "", ""},
		{"ftp", "guestOption=detectTLS=5001", long, ""},
		{"ftp", "client=yes;guestOption=detectTLS=200", "", idle},
		{"nntp", "protocolHost=a", "", none + "nntp"},
		{"nntp", "client=yes;protocolPassword=secret", "", none + "nntp"},
		{"nntp", "sni=yes", name, ""},
		{"ftp", "client=yes;protocolUsername=joe", "", none + "ftp"},
		{"ftp", "sni=yes", name, ""},
		{"proxy", "protocolHost=a", "", none + "proxy"},
		{"lmtp", "guestOption=detectTLS=5001", long, ""},
		{"lmtp", "client=yes;protocolHost=a b", `protocolHost: "a b" is no host name`, ""},
		{"lmtp", "protocolHost=a", "", none + "lmtp's server mode"},
		{"xmpp", "protocolHost=a", "", none + "xmpp's server mode"},
		{"xmpp", "guestOption=detectTLS=5001", long, ""},
		{"xmpp", "client=yes;guestOption=detectTLS=200", "", idle},
		{"xmpp", "client=yes;protocolHost=example.org", "", ""},
		{"xmpp", "client=yes;protocolHost=a'b", `protocolHost: "a'b" is no domain`, ""},
		{"xmpp", "client=yes;protocolHost=" + strings.Repeat("h", 256), "protocolHost is longer than 255 bytes", ""},
	} {
		t.Run(test.protocol+"/"+test.conf, func(t *testing.T) {
			refusal, notes := configure(t, load(t, test.protocol), test.conf)
			if refusal != test.refusal {
				t.Errorf("got refusal %q, want %q", refusal, test.refusal)
			}
			warning := ""
			if test.warning != "" {
				warning = fmt.Sprintf("log 4 %q", test.warning)
			}
			if notes != warning {
				t.Errorf("got warning %q, want %q", notes, warning)
			}
		})
	}
}
