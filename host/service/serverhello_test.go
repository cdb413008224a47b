package service

import (
	"io"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestServersWithoutSecureRenegotiation connects to a server that does not know it: whoever
// sits before it could have begun the conversation.
func TestServersWithoutSecureRenegotiation(t *testing.T) {
	serv := testpeer.Need(t, "gnutls-serv", "gnutls-bin")
	certs := testpeer.Certs(t)
	for _, c := range []struct {
		priority, lines string
		served          bool
	}{
		{"NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION", "", false},
		{"NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION", "options = LEGACY_SERVER_CONNECT\n", true},
		{"NORMAL:%DISABLE_SAFE_RENEGOTIATION", "", true},
		{"NORMAL:-VERS-TLS1.3", "", true},
		{"NORMAL:-VERS-TLS1.3", "sslVersion = TLSv1.2\nrenegotiation = no\n", true},
	} {
		t.Run(c.priority+c.lines, func(t *testing.T) {
			port := testpeer.FreePort(t)
			p := testpeer.Run(t, serv, "--echo", "--x509certfile", certs.Server, "--x509keyfile", certs.Server, "--priority", c.priority, "--port", port)
			p.WaitPort("tcp", "127.0.0.1:"+port)
			b := newBench(t, logging.Debug)
			b.apply("[x]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:" + port + "\n" + c.lines)
			if c.served {
				near := call(t, b.addr("x"))
				io.WriteString(near, "over and back\n")
				want(t, near, "over and back\n")
				return
			}
			if n, _ := knock(b.addr("x")); n > 0 {
				t.Error("a byte comes through")
			}
			b.waitLog(`LOG3.* SSL_connect: unsafe legacy renegotiation disabled`, 1)
		})
	}
}

// TestServerHellos gives the first bytes of servers, cut anywhere.
func TestServerHellos(t *testing.T) {
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00" + "\xc0\x2f" + "\x00"
	const safely, other = "\xff\x01\x00\x01\x00", "\x00\x17\x00\x00"
	hello := func(body string) string { return "\x02\x00\x00" + string(rune(len(body))) + body }
	record := func(kind, text string) string { return kind + "\x03\x03\x00" + string(rune(len(text))) + text }
	with := hello(body + "\x00\x09" + other + safely)
	for _, c := range []struct {
		name, wire string
		safe       bool
	}{
		{"with it", record("\x16", with), true},
		{"in two records", record("\x16", with[:20]) + record("\x16", with[20:]), true},
		{"behind a warning", record("\x15", "\x01\x70") + record("\x16", with), true},
		{"before another message", record("\x16", with+"\x0e\x00\x00\x00"), true},
		{"without it", record("\x16", hello(body+"\x00\x04"+other)), false},
		{"without extensions", record("\x16", hello(body)), false},
		{"in another message", record("\x16", "\x0b"+with[1:]), false},
		{"behind data", record("\x17", with) + record("\x16", with), false},
		{"cut extension", record("\x16", hello(body+"\x00\x04\xff\x01\x00\x01")), false},
	} {
		for n := range len(c.wire) {
			if safe, _ := renegotiatesSafely([]byte(c.wire[:n])); safe && !c.safe {
				t.Errorf("%s: safe after %d bytes", c.name, n)
			}
		}
		if safe, over := renegotiatesSafely([]byte(c.wire)); safe != c.safe || !over {
			t.Errorf("%s: safe %v, over %v", c.name, safe, over)
		}
	}
}
