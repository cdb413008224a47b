package stdproto_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestConfigureConnect checks what is refused, and what is warned of, before the first
// connection. No refusal quotes a header or a password.
func TestConfigureConnect(t *testing.T) {
	module := load(t, "connect")
	const (
		client = "client=yes;protocolHost=a.example:443"
		login  = ";protocolUsername=joe;protocolPassword=secret"
		ntlm   = client + ";protocolAuthentication=NTLM"
		half   = "protocolUsername and protocolPassword have an effect together: there is no login"
		idle   = "protocolHost, protocolHeader, protocolDomain, protocolUsername and ntlmv1 have no effect in connect's server mode"
	)
	for _, test := range []struct {
		name    string
		conf    string // of a flight, lines separated by semicolons
		refusal string // empty: accepted
		warning string
	}{
		{name: "client", conf: client},
		{name: "client of IPv6", conf: "client=yes;protocolHost=[2001:db8::1]:1"},
		{name: "client of a highest port", conf: "client=yes;protocolHost=a_b.example:65535"},
		{name: "no host", conf: "client=yes",
			refusal: "protocol = connect needs protocolHost = HOST:PORT in client mode"},
		{name: "no port", conf: "client=yes;protocolHost=a.example",
			refusal: `protocolHost: "a.example" is not HOST:PORT or [IPv6]:PORT`},
		{name: "port too high", conf: "client=yes;protocolHost=a:65536",
			refusal: `protocolHost: "a:65536" is not HOST:PORT or [IPv6]:PORT`},
		{name: "header in the host", conf: "client=yes;protocolHost=a HTTP/1.1\r\nX:443",
			refusal: `protocolHost: "a HTTP/1.1\x0d\x0aX:443" is not HOST:PORT or [IPv6]:PORT`},
		{name: "host too long", conf: "client=yes;protocolHost=" + strings.Repeat("h", 256),
			refusal: "protocolHost is longer than 255 bytes"},
		{name: "header", conf: client + ";protocolHeader=X-A: b\tc;protocolHeader=Y:"},
		{name: "header with a control byte", conf: client + ";protocolHeader=X-A: b\rY: c",
			refusal: "protocolHeader: a line has a control character"},
		{name: "header with a zero byte", conf: client + ";protocolHeader=X-A: b\x00",
			refusal: "protocolHeader: a line has a control character"},
		{name: "header without a colon", conf: client + ";protocolHeader=X-A: b;protocolHeader=secret",
			refusal: "protocolHeader: a line is not NAME: VALUE"},
		{name: "header without a name", conf: client + ";protocolHeader=: secret",
			refusal: "protocolHeader: a line is not NAME: VALUE"},
		{name: "header with a blank in its name", conf: client + ";protocolHeader=X A: secret",
			refusal: "protocolHeader: a line is not NAME: VALUE"},
		{name: "headers too long", conf: client + ";protocolHeader=X: " + strings.Repeat("h", 4094),
			refusal: "protocolHeader: all lines together are longer than 4096 bytes"},
		{name: "basic", conf: client + login + ";protocolAuthentication=Basic"},
		{name: "another login", conf: client + login + ";protocolAuthentication=digest",
			refusal: `protocolAuthentication: "digest" is neither basic nor ntlm`},
		{name: "user alone", conf: client + ";protocolUsername=joe",
			warning: half},
		{name: "password alone", conf: client + ";protocolPassword=secret",
			warning: half},
		{name: "user with a colon", conf: client + ";protocolUsername=joe:x;protocolPassword=secret",
			refusal: `protocolUsername: "joe:x" has a colon, which Basic cannot carry`},
		{name: "basic with a domain", conf: client + login + ";protocolDomain=D",
			warning: "protocolDomain has an effect with protocolAuthentication = ntlm alone"},
		{name: "ntlm", conf: ntlm + login + ";protocolDomain=Büro"},
		{name: "ntlm alone", conf: ntlm,
			refusal: "protocolAuthentication = ntlm needs protocolUsername and protocolPassword"},
		{name: "ntlm with a user alone", conf: ntlm + ";protocolUsername=joe",
			refusal: "protocolAuthentication = ntlm needs protocolUsername and protocolPassword"},
		{name: "ntlm with an old user", conf: ntlm + ";protocolUsername=jo\xeb;protocolPassword=x",
			refusal: `protocolUsername: "jo\xeb" is not UTF-8`},
		{name: "ntlm with an old domain", conf: ntlm + login + ";protocolDomain=B\xfcro",
			refusal: `protocolDomain: "B\xfcro" is not UTF-8`},
		{name: "ntlm version 1", conf: ntlm + login + ";guestOption=ntlmv1=yes"},
		{name: "ntlm version 2", conf: ntlm + login + ";guestOption=ntlmv1=no"},
		{name: "ntlm version 3", conf: ntlm + login + ";guestOption=ntlmv1=3",
			refusal: `guestOption ntlmv1: "3" is neither yes nor no`},
		{name: "version without ntlm", conf: client + login + ";guestOption=ntlmv1=yes",
			refusal: "guestOption ntlmv1 needs protocolAuthentication = ntlm"},
		{name: "client with a server's option", conf: client + ";guestOption=inside=yes",
			warning: "guestOption inside and userPassword have no effect in client mode"},
		{name: "client with a server's password", conf: client + ";guestOption=userPassword=a:b",
			warning: "guestOption inside and userPassword have no effect in client mode"},
		{name: "server"},
		{name: "server inside", conf: "guestOption=inside=YES;guestOption=userPassword=a:b"},
		{name: "server by name inside", conf: "sni=yes;guestOption=inside=yes"},
		{name: "server by name", conf: "sni=yes",
			refusal: "services with sni or redirect need guestOption = inside=yes here: without it the target is connected before TLS tells the name or the certificate"},
		{name: "server half inside", conf: "guestOption=inside=half",
			refusal: `guestOption inside: "half" is neither yes nor no`},
		{name: "server with passwords in the clear", conf: "guestOption=userPassword=a:b",
			warning: "clients send userPassword before TLS begins; with guestOption = inside=yes they send it inside"},
		{name: "server with a client's option", conf: "protocolHost=a:1", warning: idle},
		{name: "server with a client's header", conf: "protocolHeader=X: y", warning: idle},
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
