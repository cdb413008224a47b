package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// address makes the config's form of HOST:PORT.
func address(t *testing.T, text string) config.Address {
	t.Helper()
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		t.Fatal(err)
	}
	return config.Address{Host: host, Port: port}
}

// said dials once and gives what the backend says.
func said(t *testing.T, d *Dialer, log *record) string {
	t.Helper()
	c, err := d.Dial(context.Background(), log.ui())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dead is an address where nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestOrder(t *testing.T) {
	log := newRecord()
	var addrs []config.Address
	for _, name := range []string{"a", "b", "c"} {
		addrs = append(addrs, address(t, testpeer.Serve(t, testpeer.Say(name))))
	}
	t.Run("prio", func(t *testing.T) {
		d := New(context.Background(), addrs, options(config.Priority), log.ui())
		for range 4 {
			if got := said(t, d, log); got != "a" {
				t.Errorf("reached %s", got)
			}
		}
	})
	t.Run("rr", func(t *testing.T) {
		d := New(context.Background(), addrs, options(config.RoundRobin), log.ui())
		var got string
		for range 6 {
			got += said(t, d, log)
		}
		if !strings.Contains("abcabcabc", got) { // it starts anywhere
			t.Errorf("reached %s", got)
		}
	})
	t.Run("rr starts at different targets", func(t *testing.T) {
		seen := map[string]bool{}
		for range 200 {
			d := New(context.Background(), addrs, options(config.RoundRobin), log.ui())
			seen[d.Targets()[(d.next.Load()+1)%3].String()] = true
		}
		if len(seen) != 3 {
			t.Errorf("200 dialers start at %v only", seen)
		}
	})
}

func TestDeadTargets(t *testing.T) {
	live := testpeer.Serve(t, testpeer.Say("live"))
	down := dead(t)
	for _, f := range []config.Failover{config.Priority, config.RoundRobin} {
		log := newRecord()
		d := New(context.Background(), []config.Address{address(t, down), address(t, live)}, options(f), log.ui())
		for range 4 {
			if got := said(t, d, log); got != "live" {
				t.Errorf("reached %q", got)
			}
		}
		tries := 4 // prio tries the dead one first each time, rr every other time
		if f == config.RoundRobin {
			tries = 2
		}
		log.has(t, "s_connect: connect "+down+": Connection refused (111)", tries)
		log.has(t, "s_connect: connected "+live, 4)
	}
	log := newRecord()
	d := New(context.Background(), []config.Address{address(t, down), address(t, down)}, options(config.Priority), log.ui())
	_, err := d.Dial(context.Background(), log.ui())
	if !errors.Is(err, ErrNoTarget) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	log.has(t, "Connection refused", 2)
	log.has(t, "No more addresses to connect", 1)
}

// full listens with a backlog that is full: a further SYN gets no answer.
func full(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*syscall.SockaddrInet4).Port}).String()
	for {
		c, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
}

func TestTimeoutIsForEachAddress(t *testing.T) {
	mute := full(t)
	live := testpeer.Serve(t, testpeer.Say("live"))
	log := newRecord()
	o := options(config.Priority)
	o.Timeout = 100 * time.Millisecond
	d := New(context.Background(), []config.Address{address(t, mute), address(t, mute), address(t, live)}, o, log.ui())
	start := time.Now()
	if got := said(t, d, log); got != "live" {
		t.Errorf("reached %q", got)
	}
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("two addresses timed out in %v", took)
	}
	log.has(t, "s_connect: s_poll_wait "+mute+": TIMEOUTconnect exceeded", 2)
}

func TestCancelEndsADial(t *testing.T) {
	log := newRecord()
	mute := address(t, full(t))
	d := New(context.Background(), []config.Address{mute, mute, mute}, options(config.Priority), log.ui())
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := d.Dial(ctx, log.ui()); err == nil {
		t.Error("a dial that was cancelled succeeded")
	}
	log.has(t, "s_connect: connecting", 1) // the others are not tried
}

func TestUnixSocket(t *testing.T) {
	log := newRecord()
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, ln, testpeer.Say("unix"))
	d := New(context.Background(), []config.Address{{Unix: path + ".gone"}, {Unix: path}}, options(config.Priority), log.ui())
	if got := said(t, d, log); got != "unix" {
		t.Errorf("reached %q", got)
	}
	log.has(t, "s_connect: connect "+path+".gone: No such file or directory (2)", 1)
	log.has(t, "s_connect: connected "+path, 1)
}

func TestPortAloneMeansLoopback(t *testing.T) {
	log := newRecord()
	d := New(context.Background(), []config.Address{{Port: "25"}}, options(config.Priority), log.ui())
	want := []Target{{"tcp", "[::1]:25", "::1:25"}, {"tcp", "127.0.0.1:25", "127.0.0.1:25"}}
	if got := d.Targets(); !slices.Equal(got, want) {
		t.Errorf("targets are %v", got)
	}
	d = New(context.Background(), []config.Address{{Host: "::ffff:127.0.0.1", Port: "smtp"}}, options(config.Priority), log.ui())
	if got := d.Targets(); !slices.Equal(got, want[1:]) {
		t.Errorf("a mapped address and a port's name gave %v", got)
	}
}

// unknown is a name that never resolves (RFC 6761, section 6.4).
var unknown = config.Address{Host: "nowhere.invalid", Port: "1"}

func TestUnknownNamesAreLookedUpLater(t *testing.T) {
	log := newRecord()
	live := testpeer.Serve(t, testpeer.Say("live"))
	d := New(context.Background(), []config.Address{unknown}, options(config.RoundRobin), log.ui())
	log.has(t, "delaying DNS lookup", 1)
	if d.Targets() != nil {
		t.Errorf("targets are %v", d.Targets())
	}
	if _, err := d.Dial(context.Background(), log.ui()); err == nil {
		t.Error("a name that does not exist was connected to")
	}
	// One that is still unknown does not keep the others from being used.
	for _, addrs := range [][]config.Address{{unknown, address(t, live)}, {address(t, live), unknown}} {
		for _, f := range []config.Failover{config.Priority, config.RoundRobin} {
			d := New(context.Background(), addrs, options(f), log.ui())
			for range 3 {
				if got := said(t, d, log); got != "live" {
					t.Errorf("reached %q", got)
				}
			}
		}
	}
}

func TestControlSeesEachAddress(t *testing.T) {
	log := newRecord()
	live := testpeer.Serve(t, testpeer.Say("live"))
	down := dead(t)
	o := options(config.Priority)
	var seen []string
	o.Control = func(_, addr string, _ syscall.RawConn) error {
		seen = append(seen, addr)
		return nil
	}
	said(t, New(context.Background(), []config.Address{address(t, down), address(t, live)}, o, log.ui()), log)
	if !slices.Equal(seen, []string{down, live}) {
		t.Errorf("Control saw %v", seen)
	}
	refuse := errors.New("no such option")
	o.Control = func(string, string, syscall.RawConn) error { return refuse }
	d := New(context.Background(), []config.Address{address(t, live)}, o, log.ui())
	if _, err := d.Dial(context.Background(), log.ui()); !errors.Is(err, refuse) {
		t.Errorf("got %v", err)
	}
}
