package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// section is a TLS service at an address.
func section(name, accept, connect string) string {
	return fmt.Sprintf("cert = {server}\n[%s]\naccept = %s\nconnect = %s\n", name, accept, connect)
}

func TestTooManyClients(t *testing.T) {
	b := newBench(t, logging.Debug)
	echo := testpeer.Serve(t, testpeer.Echo)
	b.apply("maxClients = 2\n" + section("x", "127.0.0.1:0", echo))
	addr := b.addr("x")
	var open []*tls.Conn
	for range 2 {
		c := callTLS(t, addr, nil)
		io.WriteString(c, "in")
		want(t, c, "in")
		open = append(open, c)
	}
	if err := callTLS(t, addr, nil).Handshake(); err == nil {
		t.Error("a third client got in")
	}
	b.waitLog(`LOG4\[ui\]: Connection rejected: too many clients \(>=2\)`, 1)
	open[0].Close()
	b.waitLog(`Connection closed: `, 1)
	eventually(t, func() bool { return b.srv.active.Load() == 1 }, func() string { return "the first client still counts" })
	c := callTLS(t, addr, nil)
	io.WriteString(c, "room again")
	want(t, c, "room again")
}

// A failing listener fails so many times before it is closed.
type failing struct {
	net.Listener
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) == 0 {
		return nil, net.ErrClosed
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}

func TestAcceptErrorsBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logging.New()
		s := NewServer(log)
		errs := make([]error, 10)
		for i := range errs {
			errs[i] = &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		}
		l := &listener{Listener: &failing{errs: errs}}
		run := newRunning(&Set{})
		run.enter()
		l.svc.Store(&bound{nil, run})
		s.wg.Add(1)
		start := time.Now()
		s.acceptLoop(l)
		// 5, 10, 20 ... 640 ms are eight, and a second twice.
		if took, want := time.Since(start), 1275*time.Millisecond+2*time.Second; took != want {
			t.Errorf("ten errors took %v, want %v", took, want)
		}
		if run.users != 1 {
			t.Errorf("%d users are left", run.users)
		}
		var text strings.Builder
		log.DumpBuffer(&text)
		if n := strings.Count(text.String(), "accept: Too many open files (24)"); n != 10 {
			t.Errorf("%d errors are in the log:\n%s", n, text.String())
		}
	})
}

func TestReloadUnderLoad(t *testing.T) {
	const rate, total = 5 * time.Millisecond, 400
	b := newBench(t, logging.Notice)
	one := testpeer.Serve(t, testpeer.Echo)
	two := testpeer.Serve(t, testpeer.Echo)
	b.apply(section("x", "127.0.0.1:0", one))
	addr := b.addr("x")
	lasting := callTLS(t, addr, nil)
	io.WriteString(lasting, "before")
	want(t, lasting, "before")

	var wg sync.WaitGroup
	defer wg.Wait()
	conf := &tls.Config{InsecureSkipVerify: true}
	tick := time.NewTicker(rate)
	defer tick.Stop()
	for i := range total {
		<-tick.C
		wg.Go(func() {
			c, err := tls.DialWithDialer(&net.Dialer{Timeout: testTime}, "tcp", addr, conf)
			if err != nil {
				t.Errorf("connection %d: %v", i, err)
				return
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(testTime))
			io.WriteString(c, "text")
			if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
		if i%20 == 10 {
			target := one
			if i%40 == 10 {
				target = two
			}
			b.apply(section("x", "127.0.0.1:0", target))
			if now := b.addr("x"); now != addr {
				t.Fatalf("the address changed from %s to %s", addr, now)
			}
		}
	}
	io.WriteString(lasting, "after")
	want(t, lasting, "after")
}

func TestReloadMovesAddresses(t *testing.T) {
	port := testpeer.FreePort(t)
	for _, c := range []struct {
		name, from, to string
		reach, gone    string // addresses to try after the reload
	}{
		{"another port", "127.0.0.1:0", "127.0.0.1:" + port, "127.0.0.1:" + port, ""},
		{"to the wildcard", "127.0.0.1:" + port, "0.0.0.0:" + port, "127.0.0.2:" + port, ""},
		{"from the wildcard", "0.0.0.0:" + port, "127.0.0.1:" + port, "127.0.0.1:" + port, "127.0.0.2:" + port},
		{"to a port alone", "127.0.0.1:" + port, port, "127.0.0.2:" + port, ""},
		{"from IPv4 to every address", "127.0.0.1:" + port, ":::" + port, "127.0.0.2:" + port, ""},
		{"to IPv6", "127.0.0.1:" + port, "::1:" + port, "[::1]:" + port, "127.0.0.1:" + port},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			echo := testpeer.Serve(t, testpeer.Echo)
			b.apply(section("x", c.from, echo))
			old := callTLS(t, b.addr("x"), nil)
			io.WriteString(old, "before")
			want(t, old, "before")
			b.apply(section("x", c.to, echo))
			fresh := callTLS(t, c.reach, nil)
			io.WriteString(fresh, "new")
			want(t, fresh, "new")
			io.WriteString(old, "still")
			want(t, old, "still")
			if c.gone != "" {
				if nc, err := net.Dial("tcp", c.gone); err == nil {
					nc.Close()
					t.Errorf("%s still answers", c.gone)
				}
			}
		})
	}
}

func TestFailedReloadLeavesTheOldSet(t *testing.T) {
	// Addresses of loopback from which nobody connects: the port is free there.
	busy, err := net.Listen("tcp", "127.77.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, port, _ := net.SplitHostPort(busy.Addr().String())
	echo := testpeer.Serve(t, testpeer.Echo)
	for _, c := range []struct{ name, old, text string }{
		{"taken by another program", "127.0.0.1:0", section("y", "127.0.0.1:0", echo) + "[z]\naccept = " + busy.Addr().String() + "\nconnect = " + echo},
		// The wildcard overlaps our own address, which is closed for it, and another
		// program's, for which the bind fails: ours has to come back.
		{"after an own address was closed for it", "127.77.0.1:" + port, section("x", "0.0.0.0:"+port, echo)},
		{"a name that does not resolve", "127.0.0.1:0", section("y", "127.0.0.1:0", echo) + "[z]\naccept = nowhere.invalid:1\nconnect = " + echo},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			b.apply(section("x", c.old, echo))
			before := b.srv.Addrs()
			addr := b.addr("x")
			set := b.build(c.text)
			if err := b.srv.Apply(context.Background(), set); err == nil {
				t.Fatal("the new set was taken")
			}
			set.Close(context.Background())
			if after := b.srv.Addrs(); strings.Join(after, ",") != strings.Join(before, ",") {
				t.Errorf("bound are %v, before %v", after, before)
			}
			fresh := callTLS(t, addr, nil)
			io.WriteString(fresh, "still here")
			want(t, fresh, "still here")
		})
	}
}

// A Set's guests are freed when its last connection ends, and not before.
func TestReloadFreesGuestsAfterTheLastConnection(t *testing.T) {
	b := newBench(t, logging.Debug)
	mx := testpeer.Serve(t, mail)
	text := "cert = {server}\n[x]\nprotocol = smtp\naccept = 127.0.0.1:0\nconnect = " + mx + "\n"
	b.apply(text)
	old := b.srv.current
	c := call(t, b.addr("x"))
	if err := talk(c, "", "EHLO x"); err != nil {
		t.Fatal(err)
	}
	b.apply(text)
	users := func() int {
		old.mu.Lock()
		defer old.mu.Unlock()
		return old.users
	}
	if n := users(); n != 1 {
		t.Fatalf("the old set has %d users, want the connection", n)
	}
	// The guest of the old set goes on: it answers, and takes the connection on.
	if err := talk(c, "STARTTLS"); err != nil {
		t.Fatal(err)
	}
	s := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := talk(s, "EHLO x", "QUIT"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	eventually(t, func() bool { return users() == 0 }, func() string { return "the old set is still in use" })
	if old.enter() {
		t.Error("a freed set can be used again")
	}
}

func TestStopWaitsForItsGrace(t *testing.T) {
	b := newBench(t, logging.Debug)
	echo := testpeer.Serve(t, testpeer.Echo)
	b.apply(section("x", "127.0.0.1:0", echo))
	addr := b.addr("x")
	c := callTLS(t, addr, nil)
	io.WriteString(c, "x")
	want(t, c, "x")
	ended := make(chan struct{})
	go func() {
		b.srv.Stop(context.Background())
		close(ended)
	}()
	eventually(t, func() bool {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			nc.Close()
		}
		return err != nil
	}, func() string { return "the listener is still open" })
	io.WriteString(c, "grace")
	want(t, c, "grace")
	select {
	case <-ended:
		t.Fatal("Stop did not wait for the connection")
	default:
	}
	c.Close()
	select {
	case <-ended:
	case <-time.After(testTime):
		t.Fatal("Stop does not return")
	}
	if err := b.srv.Apply(context.Background(), &Set{Config: &config.Config{}}); err == nil {
		t.Error("a stopped server took a set")
	}
}

// Stop ends connections in whatever state they are, each with its last line.
func TestStopCutsEveryState(t *testing.T) {
	b := newBench(t, logging.Debug)
	echo := testpeer.Serve(t, testpeer.Echo)
	deaf := testpeer.Serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	mx := testpeer.Serve(t, mail)
	b.apply("cert = {server}\n[tls]\naccept = 127.0.0.1:0\nconnect = " + echo +
		"\n[client]\nclient = yes\naccept = 127.0.0.1:0\nconnect = " + deaf +
		"\n[smtp]\nprotocol = smtp\naccept = 127.0.0.1:0\nconnect = " + mx + "\n")
	relayed := callTLS(t, b.addr("tls"), nil)
	io.WriteString(relayed, "x")
	want(t, relayed, "x")
	call(t, b.addr("tls"))                         // waits for a ClientHello
	io.WriteString(call(t, b.addr("client")), "x") // waits for a ServerHello
	guest := call(t, b.addr("smtp"))
	if err := talk(guest, "", "EHLO x"); err != nil {
		t.Fatal(err)
	}
	late := call(t, b.addr("smtp"))
	if err := talk(late, "", "EHLO x", "STARTTLS"); err != nil {
		t.Fatal(err)
	}
	b.waitLog("accepted connection from", 5)
	b.waitLog("SNI: |connected remote server from", 4)
	b.stop()
	last := regexp.MustCompile(`Connection (closed|reset): `)
	if n := len(last.FindAllString(b.text(), -1)); n != 5 {
		t.Errorf("%d of 5 connections have their last line:\n%s", n, b.text())
	}
}

func TestUnixSockets(t *testing.T) {
	b := newBench(t, logging.Debug)
	dir := t.TempDir()
	backend, err := net.Listen("unix", filepath.Join(dir, "backend"))
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, backend, testpeer.Echo)
	front := filepath.Join(dir, "front")
	// What a killed daemon leaves behind is no obstacle.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: front, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	text := "socket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n" + section("x", front, filepath.Join(dir, "backend"))
	b.apply(text)
	b.apply(text)
	nc, err := net.Dial("unix", front)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	c.SetDeadline(time.Now().Add(testTime))
	io.WriteString(c, "over a path")
	want(t, c, "over a path")
	// A second daemon does not take over a socket that is served.
	other := newBench(t, logging.Debug)
	if err := other.srv.Apply(context.Background(), other.build(text)); !errors.Is(err, ErrBind) {
		t.Errorf("binding a served path gave %v", err)
	}
}
