package dial

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A client's address of this machine needs no capability.
func TestAs(t *testing.T) {
	seen := func(c net.Conn) { testpeer.Say(c.RemoteAddr().String())(c) }
	first, second := address(t, testpeer.Serve(t, seen)), address(t, testpeer.Serve(t, seen))
	log := newRecord()
	d := New(t.Context(), []config.Address{first, second}, Options{Timeout: 10 * time.Second}, log.ui())
	free := netip.MustParseAddrPort("127.0.0.5:" + testpeer.FreePort(t))
	as := d.As(free)
	if got := said(t, as, log); got != free.String() {
		t.Errorf("connected from %s, not %s", got, free)
	}
	// The turn is the service's, not each client's.
	if d.next.Load() != as.next.Load() {
		t.Error("each client begins a turn of its own")
	}
	held, err := net.Listen("tcp", "127.0.0.5:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	busy := netip.MustParseAddrPort(held.Addr().String())
	for _, client := range []netip.AddrPort{busy, netip.MustParseAddrPort("127.0.0.5:1023"), netip.MustParseAddrPort("[::ffff:127.0.0.5]:22")} {
		got, err := netip.ParseAddrPort(said(t, d.As(client), log))
		if err != nil || got.Addr().String() != "127.0.0.5" || got.Port() == client.Port() || got.Port() < 1024 {
			t.Errorf("%s connected from %s, %v", client, got, err)
		}
	}
	if c, err := d.As(netip.MustParseAddrPort("[::1]:5000")).Dial(context.Background(), log.ui()); err == nil {
		c.Close()
		t.Error("an IPv6 client has connected to IPv4")
	}
	log.has(t, "::1 is no source of connections to 127.0.0.1", 2)
}

func TestDialTo(t *testing.T) {
	at := testpeer.Serve(t, testpeer.Say("x"))
	log := newRecord()
	d := New(t.Context(), nil, Options{Timeout: 10 * time.Second}, log.ui())
	c, err := d.DialTo(t.Context(), netip.MustParseAddrPort(at), log.ui())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	log.has(t, "s_connect: connected "+at, 1)
	if c, err := d.DialTo(t.Context(), netip.MustParseAddrPort(dead(t)), log.ui()); err == nil {
		c.Close()
		t.Error("connected to nobody")
	}
	log.has(t, "No more addresses to connect", 1)
}
