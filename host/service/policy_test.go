package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// deciding is the lines of the policy of testdata, which does what it is told.
func deciding(t testing.TB, what string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", "..", "testdata", "guests", "decide.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("policy = %s\nguestOption = decide.do=%s\nguestAllow = decide.target\n", file, what)
}

// counted is a backend that counts who gets to it.
func counted(t testing.TB, handle func(net.Conn)) (addr string, n *atomic.Int64) {
	n = new(atomic.Int64)
	return testpeer.Serve(t, func(c net.Conn) {
		n.Add(1)
		handle(c)
	}), n
}

// knock connects, and reads a byte. The reset may come before the dial has returned.
func knock(addr string) (int, error) {
	c, err := net.DialTimeout("tcp", addr, testTime)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testTime))
	return c.Read(make([]byte, 1))
}

// TestPoliciesDeny has each stage deny, and looks at what the client, the backend and
// the log see of it.
func TestPoliciesDeny(t *testing.T) {
	for _, c := range []struct {
		name, do, options string
		handshake         bool // before the denial
		reset             bool // of the end that the client sees
		line              string
	}{
		{"accept", "x", "", false, true, ""},
		{"accept, reset = no", "x", "reset = no\n", false, false, ""},
		{"handshake", "h", "", true, false, ""},
		{"dial", "y", "", true, false, ""},
		{"without a reason", "s", "", false, true, `LOG4\[0\]: Service \[x\] policy decide denied connection from 127\.0\.0\.1:\d+: decide returned 1`},
		{"trap", "t", "", false, true, `LOG3\[0\]: guest \S*decide\.wasm \([0-9a-f]{12}\): trap: unreachable in decide`},
		{"loop", "l", "guestCPU = 100000\n", false, true, `LOG3\[0\]: guest \S*decide\.wasm \S*: more than 100000 instructions in decide`},
		{"time-out", "l", "guestCPU = 9000000000000000000\nguestTimeout = 1ms\n", false, true, `LOG3\[0\]: guest \S*decide\.wasm \S*: not done after 1ms in decide`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			back, arrived := counted(t, testpeer.Echo)
			b.apply("debug = debug\n" + section("x", "127.0.0.1:0", back) + deciding(t, c.do) + c.options)
			if c.handshake {
				s := tls.Client(call(t, b.addr("x")), &tls.Config{InsecureSkipVerify: true})
				if err := s.Handshake(); err != nil {
					t.Fatal(err)
				}
				// An end that TLS protects: who is only cut off reads ErrUnexpectedEOF.
				if n, err := s.Read(make([]byte, 1)); n > 0 || err != io.EOF {
					t.Errorf("the client read %d bytes and %v", n, err)
				}
			} else {
				n, err := knock(b.addr("x"))
				if reset := errors.Is(err, syscall.ECONNRESET); n > 0 || reset != c.reset || !reset && err != io.EOF {
					t.Errorf("the client read %d bytes and %v", n, err)
				}
			}
			line := c.line
			if line == "" {
				line = `LOG4\[0\]: Service \[x\] policy decide denied connection from 127\.0\.0\.1:\d+: it says so\n`
			}
			b.waitLog(line, 1)
			b.waitLog(`Connection (closed|reset): 0 byte\(s\) sent to TLS, 0 byte`, 1)
			if n := arrived.Load(); n > 0 || strings.Contains(b.text(), "s_connect") {
				t.Errorf("the backend was connected %d times", n)
			}
			if lines := regexp.MustCompile(`LOG[0-4]\[`).FindAllString(b.text(), -1); len(lines) != 1 {
				t.Errorf("%d lines for one denial:\n%s", len(lines), b.text())
			}
		})
	}
}

// stagesOf lists the stages that the policy was asked at.
func stagesOf(log string) string {
	var all []string
	for _, m := range regexp.MustCompile(`decide: (\w+)`).FindAllStringSubmatch(log, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

// waitStages waits until the policy was asked at these stages, and no others, as far as
// the log has come: it is written behind what it tells of.
func (b *bench) waitStages(stages string) {
	b.t.Helper()
	eventually(b.t, func() bool { return stagesOf(b.text()) == stages }, func() string {
		return "asked at " + stagesOf(b.text()) + ", want " + stages
	})
}

// Policies are asked where things happen, whichever way the connection goes.
func TestPolicyStages(t *testing.T) {
	pair := testpeer.Certs(t)
	conf := &tls.Config{Certificates: []tls.Certificate{pair.Pair(t, pair.Server)}}
	ended := make(chan error, 1)
	echoTLS := testpeer.Serve(t, func(c net.Conn) {
		s := tls.Server(c, conf)
		testpeer.Echo(s)
		_, err := s.Read(make([]byte, 1))
		ended <- err
		s.Close()
	})
	client := func(t *testing.T, addr string) {
		c := call(t, addr)
		io.WriteString(c, "ping")
		want(t, c, "ping")
	}
	server := func(t *testing.T, addr string) {
		c := callTLS(t, addr, nil)
		io.WriteString(c, "ping")
		want(t, c, "ping")
	}
	for _, c := range []struct {
		name, conf string
		use        func(*testing.T, string)
		stages     string
	}{
		{"server", section("x", "127.0.0.1:0", testpeer.Serve(t, testpeer.Echo)), server, "acce hand dial"},
		{"client", "client = yes\n[x]\naccept = 127.0.0.1:0\nconnect = " + echoTLS + "\n", client, "acce dial hand"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			b.apply("debug = debug\n" + c.conf + deciding(t, "allow"))
			c.use(t, b.addr("x"))
			b.waitStages(c.stages)
		})
	}
	t.Run("client, denied after the handshake", func(t *testing.T) {
		b := newBench(t, logging.Debug)
		b.apply("client = yes\n[x]\naccept = 127.0.0.1:0\nconnect = " + echoTLS + "\n" + deciding(t, "h"))
		nc := call(t, b.addr("x"))
		io.WriteString(nc, "never sent")
		if text, err := io.ReadAll(nc); len(text) > 0 || err != nil {
			t.Errorf("the client read %q, %v", text, err)
		}
		if err := <-ended; err != io.EOF {
			t.Errorf("the TLS server read %v, want an orderly end", err)
		}
	})
}

// Denials reach a guest as what they are, so that it tells its client the truth.
func TestPoliciesDenyWithinNegotiations(t *testing.T) {
	back, arrived := counted(t, mail)
	for _, c := range []struct {
		do, reply, reason string
	}{
		{"y", "421 4.4.1 Mail server not available\r\n", `connecting to the server: not allowed by the configuration: a policy denies it`},
		{"h", "", `not allowed by the configuration: a policy denies it`},
	} {
		t.Run(c.do, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			b.apply("debug = debug\n" + section("x", "127.0.0.1:0", back) + "protocol = smtp\n" + deciding(t, c.do))
			nc := call(t, b.addr("x"))
			if c.reply != "" {
				want(t, nc, c.reply)
				if text, err := io.ReadAll(nc); len(text) > 0 || err != nil {
					t.Errorf("and then %q, %v", text, err)
				}
			} else {
				if err := talk(nc, "", "EHLO x", "STARTTLS"); err != nil {
					t.Fatal(err)
				}
				s := tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
				if text, err := io.ReadAll(s); len(text) > 0 || err != nil {
					t.Errorf("under TLS the client read %q, %v", text, err)
				}
			}
			b.waitLog(`LOG4\[0\]: Service \[x\] policy decide denied connection`, 1)
			b.waitLog(`LOG6\[0\]: guest smtp \S+: .*`+c.reason, 1)
			b.waitLog(`Connection closed: 0 byte`, 1)
		})
	}
	if n := arrived.Load(); n != 1 {
		t.Errorf("%d connections came to the mail server, want that of the denied handshake", n)
	}
}

// A policy that looks at addresses when a connection is accepted, and at nothing later,
// must not be passed by naming the secondary service that it guards.
func TestSecondarysPoliciesAreAskedAtEachStage(t *testing.T) {
	for do, stages := range map[string]string{"x": "acce", "h": "acce hand", "y": "acce hand dial", "allow": "acce hand dial"} {
		t.Run(do, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			back, arrived := counted(t, says("guarded"))
			b.apply("debug = debug\n" + section("main", "127.0.0.1:0", testpeer.Serve(t, says("main"))) +
				"[guarded]\nsni = main:guarded.test\nconnect = " + back + "\ncert = {server}\n" + deciding(t, do))
			text, err := io.ReadAll(callTLS(t, b.addr("main"), &tls.Config{ServerName: "guarded.test"}))
			if allowed := do == "allow"; err != nil || (string(text) == "guarded") != allowed || (arrived.Load() > 0) != allowed {
				t.Errorf("the client read %q, %v; %d connections came", text, err, arrived.Load())
			}
			b.waitStages(stages)
		})
	}
}

// What a policy says of a handshake is the last word: a guest that goes on all the same
// must not get the backend to hear of the connection.
func TestDeniedHandshakesAreTheEnd(t *testing.T) {
	b := newBench(t, logging.Debug)
	back, arrived := counted(t, testpeer.Echo)
	conf, err := config.LoadReader("test.conf", strings.NewReader(strings.ReplaceAll(
		section("x", "127.0.0.1:0", back)+"protocol = smtp\n"+deciding(t, "h"), "{server}", b.certs.Server)))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	set, err := Build(context.Background(), conf, Options{Log: b.log, Native: func(string) Negotiator {
		return native(func(ctx context.Context, h guest.Host) (*guest.Outcome, error) {
			if _, err := h.StartTLS(ctx, abi.Accepted, nil, nil); err == nil {
				t.Error("the policy allowed it")
			}
			_, err := h.Connect(ctx)
			ended <- err
			return nil, err
		})
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.srv.Apply(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(callTLS(t, b.addr("x"), nil)); len(text) > 0 || err != nil {
		t.Errorf("the client read %q, %v", text, err)
	}
	if err := <-ended; guest.DialCode(err) != abi.Denied {
		t.Errorf("the guest was told %v", err)
	}
	if n := arrived.Load(); n > 0 {
		t.Errorf("%d connections came to the backend", n)
	}
}

// A policy chooses among the configured targets, and no others.
func TestPoliciesChooseTheTarget(t *testing.T) {
	first, second := testpeer.Serve(t, says("first")), testpeer.Serve(t, says("second"))
	other, arrived := counted(t, says("other"))
	for target, word := range map[string]string{first: "first", second: "second", other: ""} {
		b := newBench(t, logging.Debug)
		b.apply("debug = debug\nreset = no\n" + section("x", "127.0.0.1:0", first) + "connect = " + second + "\n" + deciding(t, "r"+target))
		for range 3 { // more often than there are turns
			c := callTLS(t, b.addr("x"), nil)
			text, err := io.ReadAll(c)
			if string(text) != word {
				t.Errorf("target %s gave %q, %v", target, text, err)
			}
		}
		if word == "" {
			b.waitLog(`policy decide denied connection from 127\.0\.0\.1:\d+: not there`, 3)
		}
	}
	if n := arrived.Load(); n > 0 {
		t.Error("a policy reached what is not configured")
	}
}

// All policies have to allow, in order, and the first that denies ends it. Those of a
// primary service hold for its secondaries.
func TestSeveralPolicies(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\n" + section("x", "127.0.0.1:0", testpeer.Serve(t, says("x"))) + deciding(t, "allow") + `
[second]
sni = x:second.test
cert = {server}
connect = ` + testpeer.Serve(t, says("second")) + `
` + deciding(t, "h"))
	want(t, callTLS(t, b.addr("x"), nil), "x")
	b.waitStages("acce hand dial")
	s := callTLS(t, b.addr("x"), &tls.Config{ServerName: "second.test"})
	if text, err := io.ReadAll(s); len(text) > 0 || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	b.waitStages("acce hand dial acce hand acce hand")
}

// A negotiation keeps its turn while a policy decides, and neither waits for the other
// for ever, even if there is one turn of each.
func TestDecisionsWithinNegotiations(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply(section("x", "127.0.0.1:0", testpeer.Serve(t, mail)) + "protocol = smtp\n" + deciding(t, "allow"))
	for _, l := range b.srv.listeners {
		svc := l.svc.Load().svc
		svc.slots, svc.ask[0].turns = make(chan struct{}, 1), make(chan struct{}, 1)
	}
	done := make(chan error)
	const clients = 8
	for range clients {
		nc := call(t, b.addr("x"))
		go func() {
			if err := talk(nc, "", "EHLO x", "STARTTLS"); err != nil {
				done <- err
				return
			}
			done <- talk(tls.Client(nc, &tls.Config{InsecureSkipVerify: true}), "EHLO x", "QUIT")
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
