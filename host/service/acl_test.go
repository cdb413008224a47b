package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A resumed session shows the policy the certificate with which it began, and the name
// that its client asks for now.
func TestPoliciesSeeResumedSessions(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			b := newBench(t, logging.Debug)
			b.apply("debug = debug\nCAfile = {root}\nverifyChain = yes\n" + section("x", "127.0.0.1:0", testpeer.Serve(t, testpeer.Echo)) +
				"policy = acl\nguestOption = acl.rule=deny cert.ou contractors sni second.test\n" +
				"guestOption = acl.rule=allow cert verified cert.san URI:spiffe://example.org/ns/*/web\n")
			web := b.certs.Pair(t, b.certs.ClientOf(t, "web", "contractors", "spiffe://example.org/ns/prod/web"))
			conf := &tls.Config{Certificates: []tls.Certificate{web}, MinVersion: version, MaxVersion: version,
				ClientSessionCache: &oneSession{}, ServerName: "first.test"}
			for i := range 2 {
				c := callTLS(t, b.addr("x"), conf)
				io.WriteString(c, "ping")
				want(t, c, "ping")
				if resumed := c.ConnectionState().DidResume; resumed != (i == 1) {
					t.Errorf("connection %d resumed: %v", i, resumed)
				}
				c.Close()
			}
			conf.ServerName = "second.test"
			c := callTLS(t, b.addr("x"), conf)
			for c.Handshake() == nil && !c.ConnectionState().DidResume {
				c = callTLS(t, b.addr("x"), conf) // the session of TLS 1.2 above was its last
			}
			if text, err := io.ReadAll(c); len(text) > 0 || err != nil {
				t.Errorf("read %q, %v", text, err)
			}
			b.waitLog(`policy acl denied connection from 127\.0\.0\.1:\d+: rule 1 denies it: "deny cert\.ou contractors sni second\.test"`, 1)
		})
	}
}

// What a protocol's guest found out decides, and what was annotated does not get lost.
func TestPoliciesSeeWhatGuestsFoundOut(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\n" + section("x", "127.0.0.1:0", testpeer.Serve(t, mail)) +
		"protocol = smtp\npolicy = acl\nguestOption = acl.rule=allow fact.ehlo *.example.org\n")
	for name, allowed := range map[string]bool{"mx.example.org": true, "mx.example.com": false} {
		nc := call(t, b.addr("x"))
		if err := talk(nc, "", "EHLO "+name, "STARTTLS"); err != nil {
			t.Fatal(err)
		}
		s := tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
		if err := talk(s, "EHLO x"); (err == nil) != allowed {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.waitLog(`policy acl denied connection from 127\.0\.0\.1:\d+: no rule allows it`, 1)
}

// The name that a client asks for chooses the target.
func TestPoliciesRouteByName(t *testing.T) {
	first, second := testpeer.Serve(t, says("first")), testpeer.Serve(t, says("second"))
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\n" + section("x", "127.0.0.1:0", first) + "connect = " + second + "\npolicy = acl\n" +
		"guestOption = acl.rule=route " + first + " sni one.test\nguestOption = acl.rule=route " + second + " sni two.test\n")
	for range 3 {
		want(t, callTLS(t, b.addr("x"), &tls.Config{ServerName: "one.test"}), "first")
		want(t, callTLS(t, b.addr("x"), &tls.Config{ServerName: "two.test"}), "second")
	}
	c := callTLS(t, b.addr("x"), &tls.Config{ServerName: "three.test"})
	if text, err := io.ReadAll(c); len(text) > 0 || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}

// Everything that is wrong with a policy is told when the config is built, at its line.
func TestWrongPolicies(t *testing.T) {
	for _, c := range []struct{ lines, err, hint string }{
		{"policy = smtp", `test.conf:5: "policy = smtp": smtp is a protocol and no policy`, "write protocol = smtp"},
		{"protocol = acl", `test.conf:5: "protocol = acl": acl is a policy and no protocol`, "write policy = acl"},
		{"policy = office", `test.conf:5: "policy = office": Policy not found`, "bundled is acl; a module of your own is found as office.wasm"},
		{"policy = ../../testdata/guests/echo.wasm", `it exports "negotiate" and not "decide": it is a protocol, for the option protocol`, ""},
		{"protocol = ../../testdata/guests/decide.wasm\nguestAllow = target", `it exports "decide" and not "negotiate": it is a policy, for the option policy`, ""},
		{"protocol = ../../testdata/guests/server_only.wasm\nclient = yes", `of the protocol it exports "negotiate_server" alone: it is for services with "client = no"`, ""},
		{"policy = ../../testdata/guests/server_only.wasm", `it exports "negotiate_server" and not "decide": it is a protocol`, ""},
		{"policy = ../../testdata/guests/talker.wasm", `import stunnel1.read_line: a policy has no streams and no resolver, it only decides`, ""},
		{"policy = ../../testdata/guests/decide.wasm", `import stunnel1.set_target needs capability target: add "guestAllow = decide.target"`, ""},
		{"policy = ../../testdata/guests/decide.wasm sha256:" + strings.Repeat("0", 64), `the module's SHA-256 is `, ""},
		{"policy = acl", `test.conf:5: "policy = acl": guest acl `, ""},
		{"policy = acl\nguestOption = acl.rule=allow\nguestOption = acl.rule=allow sny x",
			`test.conf:7: "guestOption = acl.rule=allow sny x": guest acl `, ""},
		{"policy = acl\nguestOption = acl.rule=allow\nguestOption = acl.zone=CET", `test.conf:7: "guestOption = acl.zone=CET": guest acl `, ""},
		{"policy = acl\nguestOption = acl.rule=allow\nguestOption = acl.rules=deny",
			`test.conf:7: "guestOption = acl.rules=deny": the guest acl has no option "rules"`, "it has rule, default, zone"},
		{"policy = acl\nguestOption = acl.rule=route 127.0.0.1:2", `"127.0.0.1:2" is no connect target of this service`, ""},
	} {
		b := newBench(t, logging.Debug)
		conf, err := config.LoadReader("test.conf", strings.NewReader(fmt.Sprintf(
			"[x]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\ncert = %s\n%s\n", b.certs.Server, c.lines)))
		if err != nil {
			t.Fatal(err)
		}
		set, err := Build(context.Background(), conf, Options{Log: b.log})
		if err == nil {
			set.Close(context.Background())
			t.Errorf("%s: it is taken", c.lines)
			continue
		}
		e, ok := errors.AsType[*config.Error](err)
		if !ok || e.Section != "x" || !strings.Contains(err.Error(), c.err) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: %v\n%s", c.lines, err, e.Hint)
		}
	}
}

// The target that a client of a proxy asked for, and the user that it is, decide before
// the dial, and the proxy says what became of it.
func TestPoliciesJudgeChosenTargets(t *testing.T) {
	open, guarded := testpeer.Serve(t, says("open")), testpeer.Serve(t, says("guarded"))
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\ncert = {server}\n[x]\naccept = 127.0.0.1:0\nprotocol = connect\nconnect = 127.0.0.1:1\nguestDial = 127.0.0.1:*\nguestOption = inside=yes\n" +
		"policy = acl\nguestOption = acl.rule=deny target " + guarded + "\nguestOption = acl.default=allow\n")
	for target, status := range map[string]string{open: "HTTP/1.1 200 ", guarded: "HTTP/1.1 403 "} {
		c := callTLS(t, b.addr("x"), nil)
		fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", target)
		text, err := io.ReadAll(c)
		if !strings.HasPrefix(string(text), status) || strings.Contains(string(text), "guarded") {
			t.Errorf("%s: %q, %v", target, text, err)
		}
	}
	b.waitLog(`LOG4\[\d+\]: Service \[x\] policy acl denied connection from 127\.0\.0\.1:\d+: rule 1 denies it`, 1)
}
