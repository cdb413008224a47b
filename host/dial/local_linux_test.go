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

// TestDelay has a name that moves between two connections.
func TestDelay(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, ln, func(c net.Conn) { testpeer.Say(c.LocalAddr().(*net.TCPAddr).IP.String())(c) })
	z := serveZone(t, map[string][][]netip.Addr{"moves.test": {addrs("127.0.0.2"), addrs("127.0.0.3")}})
	log := newRecord()
	d := New(t.Context(), []config.Address{{Host: "moves.test", Port: port(t, ln.Addr().String())}},
		Options{Timeout: 10 * time.Second, Delay: true, Failover: config.Priority}, log.ui())
	if n := z.times("moves.test"); n != 0 {
		t.Errorf("the name was looked up %d times before there was a connection", n)
	}
	for _, want := range []string{"127.0.0.2", "127.0.0.3"} {
		if got := said(t, d, log); got != want {
			t.Errorf("reached %s, want %s", got, want)
		}
	}
}

func TestLocal(t *testing.T) {
	tcp := address(t, testpeer.Serve(t, func(c net.Conn) { testpeer.Say(c.RemoteAddr().(*net.TCPAddr).IP.String())(c) }))
	local, err := LookupLocal(t.Context(), "127.0.0.7")
	if err != nil {
		t.Fatal(err)
	}
	log := newRecord()
	d := New(t.Context(), []config.Address{tcp}, Options{Timeout: 10 * time.Second, Local: local}, log.ui())
	if got := said(t, d, log); got != "127.0.0.7" {
		t.Errorf("connected from %s", got)
	}
	// A Unix socket has no such address, and is connected all the same.
	path := t.TempDir() + "/s"
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, ln, testpeer.Say("unix"))
	d = New(t.Context(), []config.Address{{Unix: path}}, Options{Timeout: 10 * time.Second, Local: local}, log.ui())
	if got := said(t, d, log); got != "unix" {
		t.Errorf("reached %s", got)
	}
	// An address of another machine's.
	foreign := netip.MustParseAddr("192.0.2.1")
	d = New(t.Context(), []config.Address{tcp}, Options{Timeout: 10 * time.Second, Local: foreign}, log.ui())
	if c, err := d.Dial(context.Background(), log.ui()); err == nil {
		c.Close()
		t.Error("connected from an address that this machine has not")
	}
	log.has(t, "Cannot assign requested address (99)", 1)
}
