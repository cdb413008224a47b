package systemd

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds every wait; reaching it is a failure.
const patience = time.Minute

// listenerAt makes a listening socket with a descriptor that a test may give away.
func listenerAt(t *testing.T, network, addr string, fd int) net.Addr {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	rc, err := ln.(interface {
		File() (*os.File, error)
	}).File()
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if err := unix.Dup3(int(rc.Fd()), fd, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return ln.Addr()
}

// high is above every descriptor that the test's process has by itself.
const high = 200

func TestInheritedSockets(t *testing.T) {
	tcp := listenerAt(t, "tcp", "127.0.0.1:0", high)
	local := listenerAt(t, "unix", filepath.Join(t.TempDir(), "s"), high+1)
	t.Setenv(handedOver, strconv.Itoa(high))
	t.Setenv(listenFDs, "2")
	t.Setenv(listenNames, "https:")
	t.Setenv(listenPID, "1")
	m, err := Inherit()
	if err != nil {
		t.Fatal(err)
	}
	if want := []Socket{{high, "https"}, {high + 1, ""}}; !slices.Equal(m.Sockets, want) {
		t.Fatalf("got %v", m.Sockets)
	}
	for _, name := range append(variables, handedOver) {
		if v, ok := os.LookupEnv(name); ok {
			t.Errorf("%s = %q is left for children", name, v)
		}
	}
	for i, addr := range []net.Addr{tcp, local} {
		if flags, _ := unix.FcntlInt(uintptr(high+i), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("children get socket %d", i)
		}
		// It survives that its listener closes, as at a reload that drops its service.
		for range 2 {
			ln, err := m.Sockets[i].Listen()
			if err != nil {
				t.Fatal(err)
			}
			c, err := net.Dial(addr.Network(), addr.String())
			if err != nil {
				t.Fatal(err)
			}
			s, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if _, err := s.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("read: %v", err)
			}
			s.Close()
			ln.Close()
		}
	}
	if err := m.Keep(false); err != nil {
		t.Fatal(err)
	}
	if flags, _ := unix.FcntlInt(high, unix.F_GETFD, 0); flags&unix.FD_CLOEXEC != 0 {
		t.Error("the next program does not get the socket")
	}
	want := []string{listenPID + "=" + strconv.Itoa(os.Getpid()), listenFDs + "=2", listenNames + "=https:"}
	if got := m.Again(); !slices.Equal(got, want) {
		t.Errorf("for the next program %q", got)
	}
}

// What the unit says of keep-alive holds for its connections, and not what Go does by itself.
func TestProbesOfGivenSockets(t *testing.T) {
	for _, on := range []int{0, 1} {
		addr := listenerAt(t, "tcp", "127.0.0.1:0", high)
		unix.SetsockoptInt(high, unix.SOL_SOCKET, unix.SO_KEEPALIVE, on)
		unix.SetsockoptInt(high, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 77)
		ln, err := Socket{FD: high}.Listen()
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		c, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		rc, _ := s.(*net.TCPConn).SyscallConn()
		rc.Control(func(fd uintptr) {
			got, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
			idle, _ := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
			if got != on || idle != 77 {
				t.Errorf("SO_KEEPALIVE %d, TCP_KEEPIDLE %d; the listener has %d, 77", got, idle, on)
			}
		})
		unix.Close(high)
	}
}

func TestSocketsOfOthers(t *testing.T) {
	t.Setenv(listenPID, "1")
	t.Setenv(listenFDs, "1")
	t.Setenv(watchdogUS, "1000")
	t.Setenv(watchdogPID, "1")
	m, err := Take()
	if err != nil || len(m.Sockets) != 0 || m.Watchdog != 0 {
		t.Errorf("took %v, %v; %v", m.Sockets, m.Watchdog, err)
	}
}

func TestSocketsThatAreNone(t *testing.T) {
	listenerAt(t, "tcp", "127.0.0.1:0", high)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, fd := range []int{pair[0], int(null.Fd())} {
		if ln, err := (Socket{FD: fd}).Listen(); err == nil {
			ln.Close()
			t.Error("something that does not listen is taken")
		}
	}
	unix.Close(pair[0])
	unix.Close(pair[1])
	for _, test := range []struct{ fds, names, want string }{
		{"x", "a", "is no number of sockets"},
		{"-1", "a", "is no number of sockets"},
		{"4097", "a", "is no number of sockets"},
		{"2", "a", "names 1 sockets, not 2"},
		{"2", "a:b", fmt.Sprintf("descriptor %d of LISTEN_FDS: bad file descriptor", high+1)},
	} {
		t.Setenv(handedOver, strconv.Itoa(high))
		t.Setenv(listenPID, "1")
		t.Setenv(listenFDs, test.fds)
		t.Setenv(listenNames, test.names)
		if _, err := Inherit(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s, %s: %v", test.fds, test.names, err)
		}
	}
}

// notifySocket is the manager's side.
func notifySocket(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

func receive(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 1000)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	for _, name := range []string{path, "@stunnel-wasm/" + path} {
		c := notifySocket(t, name)
		t.Setenv(notifyPath, name)
		t.Setenv(watchdogUS, "3000000")
		t.Setenv(watchdogPID, strconv.Itoa(os.Getpid()))
		m, err := Take()
		if err != nil || m.Watchdog != 3*time.Second {
			t.Fatalf("watchdog %v, %v", m.Watchdog, err)
		}
		if err := m.Notify(Ready, Status("up\nMAINPID=1")); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, c); got != "READY=1\nSTATUS=up MAINPID=1" {
			t.Errorf("got %q", got)
		}
		m.Alive()
		if got := receive(t, c); got != "WATCHDOG=1" {
			t.Errorf("got %q", got)
		}
		// A manager that began anew has another socket.
		c.Close()
		os.Remove(path)
		if err := m.Notify(Ready); err == nil {
			t.Error("nobody is there, and nothing is said")
		}
		c = notifySocket(t, name)
		if err := m.Notify(Stopping); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, c); got != Stopping {
			t.Errorf("got %q", got)
		}
	}
	if err := (&Manager{}).Notify(Ready); err != nil {
		t.Errorf("without a manager: %v", err)
	}
}

func TestNotifyNowhere(t *testing.T) {
	t.Setenv(notifyPath, "vsock:2:1234")
	m, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Notify(Ready); err == nil || !strings.Contains(err.Error(), `NOTIFY_SOCKET = "vsock:2:1234" is neither`) {
		t.Errorf("got %v", err)
	}
}

func TestReloading(t *testing.T) {
	var before, after unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &before)
	got := Reloading()
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &after)
	text, ok := strings.CutPrefix(strings.Join(got, "\n"), "RELOADING=1\nMONOTONIC_USEC=")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < before.Nano()/1000 || n > after.Nano()/1000 {
		t.Errorf("got %q", got)
	}
}

// Barrier is over when the manager has closed what it was sent.
func TestBarrier(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	c := notifySocket(t, path)
	t.Setenv(notifyPath, path)
	m, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		oob := make([]byte, 100)
		b := make([]byte, 100)
		n, oobn, _, _, err := c.ReadMsgUnix(b, oob)
		if err == nil && string(b[:n]) != "BARRIER=1" {
			err = fmt.Errorf("got %q", b[:n])
		}
		if err == nil {
			var msgs []unix.SocketControlMessage
			if msgs, err = unix.ParseSocketControlMessage(oob[:oobn]); err == nil {
				fds, _ := unix.ParseUnixRights(&msgs[0])
				unix.Close(fds[0])
			}
		}
		read <- err
	}()
	if err := m.Barrier(); err != nil {
		t.Error(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}

func TestHandOver(t *testing.T) {
	m := &Manager{
		Sockets:  []Socket{{3, "a"}},
		Watchdog: time.Second,
		before:   map[string]string{listenFDs: "1", listenNames: "a", listenPID: "7", notifyPath: "/n", watchdogUS: "1000000", watchdogPID: "7"},
	}
	want := []string{"NOTIFY_SOCKET=/n", "WATCHDOG_USEC=1000000", handedOver + "=5", "LISTEN_FDS=1", "LISTEN_FDNAMES=a"}
	if got := m.HandOver(5); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := (&Manager{}).HandOver(5); got != nil {
		t.Errorf("of nothing %q", got)
	}
}
