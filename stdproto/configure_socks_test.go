package stdproto_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// A configuration is what a guest's configure is given, and what comes of it.
type configuration struct {
	name    string
	conf    string // of a flight, lines separated by semicolons
	refusal string // empty: accepted
	warning string
}

// testConfigure has a guest look at configurations.
func testConfigure(t *testing.T, protocol string, tests []configuration) {
	module := load(t, protocol)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := flight.New()
			for line := range strings.SplitSeq(test.conf, ";") {
				if line == "" {
					continue
				}
				if err := f.Set(line); err != nil {
					t.Fatal(err)
				}
			}
			refusal, warning := "", ""
			say := func(_ int, text string) { warning += text }
			err := module.Configure(context.Background(), flight.NewHost(f, nil, nil).Config, say, guest.Limits{})
			if e, ok := errors.AsType[*guest.Error](err); ok {
				refusal = e.Reason
				if e.Kind != guest.KindRefusal || e.Class != abi.FailConfig {
					t.Errorf("kind %s, class %s", e.Kind, e.Class)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if refusal != test.refusal {
				t.Errorf("got refusal %q, want %q", refusal, test.refusal)
			}
			if warning != test.warning {
				t.Errorf("got warning %q, want %q", warning, test.warning)
			}
		})
	}
}

func TestConfigureSOCKS(t *testing.T) {
	const idle = "protocolHost, protocolUsername and protocolPassword have no effect in socks's server mode"
	const half = "protocolUsername and protocolPassword have an effect together: there is no login"
	const noTarget = "the SOCKS server has to be told a target: add protocolHost = HOST:PORT " +
		"(the original destination of a redirected connection is not supported)"
	tests := []configuration{
		{name: "server"},
		{name: "server with users", conf: "guestOption=userPassword=joe:secret"},
		{name: "server with host", conf: "protocolHost=www.example.org:443", warning: idle},
		{name: "server with user", conf: "protocolUsername=joe", warning: idle},
		{name: "client without target", conf: "client=yes", refusal: noTarget},
		{name: "user too long", conf: "client=yes;protocolHost=h:1;protocolUsername=" + strings.Repeat("u", 256),
			refusal: "protocolUsername is longer than 255 bytes"},
		{name: "user alone", conf: "client=yes;protocolHost=h:1;protocolUsername=joe", warning: half},
		{name: "password alone", conf: "client=yes;protocolHost=h:1;protocolPassword=secret", warning: half},
		{name: "user empty", conf: "client=yes;protocolHost=h:1;protocolUsername=", refusal: "protocolUsername is empty"},
		{name: "host too long", conf: "client=yes;protocolHost=" + strings.Repeat("h", 300) + ":1", refusal: "protocolHost is too long"},
	}
	for _, target := range []string{"www.example.org:443", "a:1", "a_b-c.example:65535", "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1:80", "a.example.:1"} {
		tests = append(tests, configuration{name: target, conf: "client=yes;protocolHost=" + target})
	}
	for _, target := range []string{"www.example.org", "www.example.org:", ":443", "a:0", "a:65536", "a:http", "a b:1", "a..b:1", "2001:db8::g:80"} {
		tests = append(tests, configuration{name: "bad " + target, conf: "client=yes;protocolHost=" + target,
			refusal: `protocolHost: "` + target + `" is not HOST:PORT`})
	}
	testConfigure(t, "socks", tests)
}

func TestConfigurePROXY(t *testing.T) {
	tests := []configuration{
		{name: "server"},
		{name: "client", conf: "client=yes"},
		{name: "version 1", conf: "guestOption=version=1"},
		{name: "version 2 with TLS", conf: "guestOption=version=2;guestOption=tls=yes"},
		{name: "another version", conf: "guestOption=version=3", refusal: `guestOption version: "3" is neither 1 nor 2`},
		{name: "no version", conf: "guestOption=version=", refusal: `guestOption version: "" is neither 1 nor 2`},
		{name: "two versions", conf: "guestOption=version=1;guestOption=version=2", refusal: `guestOption version: "1\x0a2" is neither 1 nor 2`},
		{name: "a long version", conf: "guestOption=version=" + strings.Repeat("1", 40), refusal: "guestOption version is too long"},
		{name: "neither", conf: "guestOption=accept=maybe", refusal: `guestOption accept: "maybe" is neither yes nor no`},
		{name: "TLS in text", conf: "guestOption=tls=yes", refusal: "guestOption tls=yes needs version=2"},
		{name: "TLS of a client", conf: "client=yes;guestOption=version=2;guestOption=tls=yes",
			refusal: "guestOption tls=yes: in client mode there is no TLS with the client"},
		{name: "TLS unsent", conf: "guestOption=accept=yes;guestOption=from=::1;guestOption=send=no;guestOption=version=2;guestOption=tls=yes",
			refusal: "guestOption tls=yes has nothing to be sent with where send=no"},
		{name: "nothing to do", conf: "guestOption=send=no",
			refusal: "guestOption send=no leaves nothing to do: add accept=yes, or remove protocol = proxy"},
		{name: "from everybody", conf: "guestOption=accept=yes",
			refusal: "guestOption accept=yes would let everybody forge addresses: add guestOption = from=CIDR of the senders"},
		{name: "from for nothing", conf: "guestOption=from=::1", warning: "guestOption from has no effect without accept=yes"},
		{name: "many from", conf: "guestOption=accept=yes" + strings.Repeat(";guestOption=from=192.0.2.0/24", 200), refusal: "guestOption from is too long"},
	}
	for _, from := range []string{"10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1/128", "10.128.0.0/9", "unix"} {
		tests = append(tests, configuration{name: from, conf: "guestOption=accept=yes;guestOption=from=" + from})
	}
	for _, from := range []string{"", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "2001:db8::1/32", "::/129", "localhost", "10.0.0.0/8,::1"} {
		tests = append(tests, configuration{name: "bad " + from, conf: "guestOption=accept=yes;guestOption=from=" + from,
			refusal: `guestOption from: "` + from + `" is no network as 10.0.0.0/8, without bits beyond its prefix, nor unix`})
	}
	testConfigure(t, "proxy", tests)
}
