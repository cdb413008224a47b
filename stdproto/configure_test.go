package stdproto_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// TestConfigureSMTP checks what is refused, and what is warned of, before the
// first connection.
func TestConfigureSMTP(t *testing.T) {
	module := load(t, "smtp")
	const half = "protocolUsername and protocolPassword have an effect together: there is no login"
	const idle = "protocolHost, protocolUsername and protocolPassword have no effect in smtp's server mode"
	for _, test := range []struct {
		name    string
		conf    string // of a flight, lines separated by semicolons
		refusal string // empty: accepted
		warning string
	}{
		{name: "server"},
		{name: "server detects TLS", conf: "guestOption=detectTLS=5000"},
		{name: "server detects no TLS", conf: "guestOption=detectTLS=0"},
		{name: "detection too long", conf: "guestOption=detectTLS=5001",
			refusal: `guestOption detectTLS: "5001" is not a number of milliseconds up to 5000`},
		{name: "detection of huge length", conf: "guestOption=detectTLS=4294967297",
			refusal: `guestOption detectTLS: "4294967297" is not a number of milliseconds up to 5000`},
		{name: "detection not a number", conf: "guestOption=detectTLS=2s",
			refusal: `guestOption detectTLS: "2s" is not a number of milliseconds up to 5000`},
		{name: "detection empty", conf: "guestOption=detectTLS=",
			refusal: `guestOption detectTLS: "" is not a number of milliseconds up to 5000`},
		{name: "server with user", conf: "protocolUsername=u", warning: idle},
		{name: "server with host", conf: "protocolHost=" + strings.Repeat("h", 300), warning: idle},
		{name: "server greets", conf: "sni=yes;protocolHost=mx.example.net"},
		{name: "server greets by two words", conf: "sni=yes;protocolHost=a b",
			refusal: `protocolHost: "a b" is no host name`},
		{name: "client", conf: "client=yes"},
		{name: "client plain", conf: "client=yes;protocolAuthentication=PLAIN"},
		{name: "client login", conf: "client=yes;protocolAuthentication=login;protocolUsername=u;protocolPassword=p"},
		{name: "client with a user alone", conf: "client=yes;protocolUsername=u", warning: half},
		{name: "client with a password alone", conf: "client=yes;protocolPassword=p", warning: half},
		{name: "client basic", conf: "client=yes;protocolAuthentication=basic"},
		{name: "client ntlm", conf: "client=yes;protocolAuthentication=ntlm",
			warning: "protocolAuthentication is neither plain nor login: plain is used"},
		{name: "host of two words", conf: "client=yes;protocolHost=a b",
			refusal: `protocolHost: "a b" is no host name`},
		{name: "host empty", conf: "client=yes;protocolHost=",
			refusal: `protocolHost: "" is no host name`},
		{name: "host with control", conf: "client=yes;protocolHost=a\rMAIL",
			refusal: `protocolHost: "a\x0dMAIL" is no host name`},
		{name: "host of full length", conf: "client=yes;protocolHost=" + strings.Repeat("h", 255)},
		{name: "host too long", conf: "client=yes;protocolHost=" + strings.Repeat("h", 256),
			refusal: "protocolHost is longer than 255 bytes"},
		{name: "user too long", conf: "client=yes;protocolUsername=" + strings.Repeat("u", 256),
			refusal: "protocolUsername is longer than 255 bytes"},
		{name: "client detects TLS", conf: "client=yes;guestOption=detectTLS=200",
			warning: "guestOption detectTLS has no effect in client mode"},
	} {
		t.Run(test.name, func(t *testing.T) {
			refusal, notes := configure(t, module, test.conf)
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

// configure runs a guest's configure under a flight's config, lines separated by
// semicolons, and gives its refusal and what it told the host.
func configure(t *testing.T, module *guest.Module, conf string) (refusal, notes string) {
	t.Helper()
	f := flight.New()
	for line := range strings.SplitSeq(conf, ";") {
		if line == "" {
			continue
		}
		if err := f.Set(line); err != nil {
			t.Fatal(err)
		}
	}
	host := flight.NewHost(f, nil, nil)
	err := module.Configure(context.Background(), host.Config, host.Log, guest.Limits{})
	if e, ok := errors.AsType[*guest.Error](err); ok {
		if e.Kind != guest.KindRefusal || e.Class != abi.FailConfig {
			t.Errorf("kind %s, class %s", e.Kind, e.Class)
		}
		return e.Reason, host.Notes()
	}
	if err != nil {
		t.Fatal(err)
	}
	return "", host.Notes()
}
