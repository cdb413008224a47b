package service

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A native is a negotiation in Go.
type native func(ctx context.Context, h guest.Host) (*guest.Outcome, error)

func (f native) Negotiate(ctx context.Context, h guest.Host, _ guest.Limits) (*guest.Outcome, error) {
	return f(ctx, h)
}

// serveNative runs a service whose protocol is a function.
func serveNative(t *testing.T, conf, target string, f native) *bench {
	t.Helper()
	b := newBench(t, logging.Debug)
	text := strings.ReplaceAll(conf+"\n"+section("x", "127.0.0.1:0", target)+"protocol = smtp\n", "{server}", b.certs.Server)
	c, err := config.LoadReader("test.conf", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Build(context.Background(), c, Options{Log: b.log, Native: func(string) Negotiator { return f }})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.srv.Apply(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	return b
}

// A negotiation that does nothing leaves neither the target unconnected nor the
// TLS side in the clear.
func TestHostCompletesWhatAGuestLeft(t *testing.T) {
	b := serveNative(t, "", testpeer.Serve(t, testpeer.Echo), func(context.Context, guest.Host) (*guest.Outcome, error) {
		return &guest.Outcome{}, nil
	})
	c := callTLS(t, b.addr("x"), nil)
	io.WriteString(c, "under TLS")
	want(t, c, "under TLS")
}

// What a guest peeked at on the side that then becomes TLS is the start of the
// handshake, never of what is decrypted.
func TestLeftPlaintextGoesIntoTheHandshake(t *testing.T) {
	b := serveNative(t, "", testpeer.Serve(t, testpeer.Echo), func(_ context.Context, h guest.Host) (*guest.Outcome, error) {
		first := make([]byte, 10)
		if _, err := io.ReadFull(h.Accepted(), first); err != nil {
			return nil, err
		}
		var out guest.Outcome
		out.Unread[abi.Accepted] = first
		return &out, nil
	})
	c := callTLS(t, b.addr("x"), nil)
	io.WriteString(c, "x")
	want(t, c, "x")

	injected := call(t, b.addr("x"))
	io.WriteString(injected, "MAIL FROM:<evil>\r\n")
	if text, _ := io.ReadAll(injected); strings.Contains(string(text), "evil") {
		t.Errorf("plaintext was relayed: %q", text)
	}
	b.waitLog(`Connection reset/closed: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket`, 1)
}

// A guest cannot have TLS on the side that the config leaves in the clear.
func TestGuestsChooseNoSide(t *testing.T) {
	got := make(chan error, 1)
	b := serveNative(t, "", testpeer.Serve(t, testpeer.Echo), func(ctx context.Context, h guest.Host) (*guest.Outcome, error) {
		if _, err := h.Accepted().Read(make([]byte, 1)); err != nil { // the client has connected
			return nil, err
		}
		if _, err := h.Connect(ctx); err != nil {
			return nil, err
		}
		_, err := h.StartTLS(ctx, abi.Outgoing, nil, nil)
		got <- err
		return nil, err
	})
	c := call(t, b.addr("x"))
	io.WriteString(c, "x")
	io.ReadAll(c)
	var code *guest.CodeError
	if err := <-got; !errors.As(err, &code) || code.Code != abi.Denied {
		t.Errorf("got %v", err)
	}
}

func TestNegotiationsWaitForTheirTurn(t *testing.T) {
	enter, leave := make(chan struct{}), make(chan struct{})
	b := serveNative(t, "debug = 7\nTIMEOUTbusy = 1", testpeer.Serve(t, testpeer.Echo), func(ctx context.Context, h guest.Host) (*guest.Outcome, error) {
		enter <- struct{}{}
		select {
		case <-leave:
		case <-ctx.Done():
		}
		return &guest.Outcome{}, nil
	})
	for _, l := range b.srv.listeners {
		l.svc.Load().svc.slots = make(chan struct{}, 1)
	}
	first := callTLS(t, b.addr("x"), nil)
	<-enter
	late := call(t, b.addr("x"))
	if _, err := io.ReadAll(late); err == nil {
		t.Error("a connection over the limit was not reset")
	}
	b.waitLog("negotiations of this service are under way: waiting", 1)
	b.waitLog("more than 1024 negotiations of one service", 1)
	second := callTLS(t, b.addr("x"), nil)
	b.waitLog("are under way: waiting", 2)
	for _, c := range []*tls.Conn{first, second} {
		go c.Handshake() // TIMEOUTbusy is no time for the one to wait for the other's
	}
	leave <- struct{}{}
	<-enter
	leave <- struct{}{}
	for _, c := range []*tls.Conn{first, second} {
		io.WriteString(c, "turn")
		want(t, c, "turn")
	}
}

// Secrets reach a guest by Secret alone.
func TestSecretsAreNoOptions(t *testing.T) {
	s := &Service{conf: &config.Service{Name: "x", ProtocolValues: map[string]string{"protocolpassword": "geheim", "protocolusername": "me"}}}
	s.fixed, s.secrets = guestConfig(s.conf, false)
	l := lender{c: &connection{svc: s}, svc: s}
	if v, ok := l.Config("protocolpassword"); ok {
		t.Errorf("config gives the password %q", v)
	}
	if v, _ := l.Config("protocolusername"); v != "me" {
		t.Errorf("config gives the user %q", v)
	}
	if v, ok := l.Secret("protocolpassword"); !ok || v != "geheim" {
		t.Errorf("secret gives %q", v)
	}
	if _, ok := l.Secret("protocolusername"); ok {
		t.Error("secret gives an option")
	}
}

// Addresses are printed as stunnel does: no brackets, no mapped form.
func TestAddressTexts(t *testing.T) {
	for want, a := range map[string]net.Addr{
		"127.0.0.1:25":   &net.TCPAddr{IP: net.ParseIP("::ffff:127.0.0.1"), Port: 25},
		"::1:25":         &net.TCPAddr{IP: net.IPv6loopback, Port: 25},
		"fe80::1%eth0:1": &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 1},
		"/run/s":         &net.UnixAddr{Name: "/run/s"},
		"unix:socket":    &net.UnixAddr{},
		"unknown":        nil,
	} {
		if got := plainAddr(a); got != want {
			t.Errorf("%v is printed as %s, want %s", a, got, want)
		}
	}
}

func TestOverlap(t *testing.T) {
	tcp := func(s string) listenAddr {
		addr, alone := strings.CutSuffix(s, " alone") // a socket of IPv6 alone, as on Windows
		if alone {
			return listenAddr{network: "tcp6", address: addr}
		}
		return listenAddr{network: "tcp", address: addr}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"127.0.0.1:1", "127.0.0.1:1", true},
		{"127.0.0.1:1", "127.0.0.1:2", false},
		{"127.0.0.1:1", "127.0.0.2:1", false},
		{"127.0.0.1:1", "0.0.0.0:1", true},
		{"127.0.0.1:1", "[::]:1", true},
		{"[::1]:1", "[::]:1", true},
		{"[::1]:1", "0.0.0.0:1", false},
		{"0.0.0.0:1", "[::]:1", true},
		{"127.0.0.1:1", "[::]:1 alone", false},
		{"0.0.0.0:1", "[::]:1 alone", false},
		{"[::1]:1 alone", "[::]:1 alone", true},
		{"/run/s", "/run/s", false}, // a path is kept or gone
	} {
		if x, y := overlap(tcp(c.a), tcp(c.b)), overlap(tcp(c.b), tcp(c.a)); x != c.want || y != c.want {
			t.Errorf("%s and %s: %v and %v, want %v", c.a, c.b, x, y, c.want)
		}
	}
}

// A peer that does not answer in a handshake that a guest asked for is waited for
// until the guest's own time is over, and not as long as TIMEOUTbusy besides.
func TestGuestTimeoutBoundsTheHandshake(t *testing.T) {
	failed := make(chan error, 1)
	b := serveNative(t, "", testpeer.Serve(t, testpeer.Echo), func(ctx context.Context, h guest.Host) (*guest.Outcome, error) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := h.StartTLS(ctx, abi.Accepted, nil, nil)
		failed <- err
		return nil, err
	})
	c := call(t, b.addr("x"))
	defer c.Close()
	select {
	case err := <-failed:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want that the deadline is exceeded", err)
		}
	case <-time.After(testTime):
		t.Error("the handshake goes on after its deadline")
	}
}

// A guest's lines are errors at worst.
func TestGuestsRaiseNoAlarm(t *testing.T) {
	b := serveNative(t, "", testpeer.Serve(t, testpeer.Echo), func(_ context.Context, h guest.Host) (*guest.Outcome, error) {
		h.Log(0, "wake everybody")
		h.Log(4, "as it is")
		return &guest.Outcome{}, nil
	})
	call(t, b.addr("x")).Close()
	b.waitLog(`LOG3\[\d+\]: smtp: wake everybody`, 1)
	b.waitLog(`LOG4\[\d+\]: smtp: as it is`, 1)
}
