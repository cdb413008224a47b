package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// activated is a daemon that systemd-socket-activate starts, with a socket for each of addrs
// and, if not empty, names for them.
func activated(t *testing.T, program, conf, notify, names string, addrs ...string) *testpeer.Daemon {
	t.Helper()
	d := testpeer.Prepare(t, conf)
	args := []string{"-E", asDaemon + "=1", "-E", "NOTIFY_SOCKET=" + notify}
	if names != "" {
		args = append(args, "--fdname="+names)
	}
	for _, a := range addrs {
		args = append(args, "-l", a)
	}
	d.Begin(t, exec.Command(testpeer.Need(t, "systemd-socket-activate", "systemd"), append(args, program, d.Config)...))
	d.WaitLines(`^Listening on `, len(addrs))
	// It starts the program when somebody comes.
	c, err := net.Dial("tcp", addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	return d
}

// served are sections that say who they are.
func served(t *testing.T, names ...string) string {
	var conf strings.Builder
	for _, name := range names {
		fmt.Fprintf(&conf, "[%s]\naccept = 127.0.0.1:0\nconnect = %s\ncert = %s\n", name, testpeer.Serve(t, testpeer.Say(name)), testpeer.Certs(t).Server)
	}
	return conf.String()
}

// TestSocketActivation has the sockets of systemd, for us as for stunnel: in the order of
// the services, the rest bound as usual, kept over a reload that swaps the sections.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	for _, program := range []string{self(t), testpeer.Need(t, "stunnel4", "stunnel4")} {
		t.Run(filepath.Base(program), func(t *testing.T) {
			t.Parallel()
			one, two := "127.0.0.1:"+testpeer.FreePort(t), "127.0.0.1:"+testpeer.FreePort(t)
			m := newServiceManager(t)
			d := activated(t, program, served(t, "a", "b", "c"), m.path, "", one, two)
			d.WaitLine(`: Accepting new connections$`)
			d.WaitLine(`LOG7\[ui\]: Listening file descriptor received from systemd \(FD=4\)$`)
			d.WaitLine(`Service \[a\] \(FD=\d+\) bound to ` + one + `$`)
			leadsTo(t, one, "a")
			leadsTo(t, two, "b")
			leadsTo(t, d.Addr("c"), "c")

			d.Write(t, served(t, "b", "a", "c"))
			d.Signal(syscall.SIGHUP)
			if program == self(t) {
				m.expect("READY", "1") // of the start
				m.expect("RELOADING", "1")
				m.expect("READY", "1")
			} else {
				d.WaitLines(`Service \[c\] \(FD=\d+\) bound to`, 2)
			}
			leadsTo(t, one, "b")
			leadsTo(t, two, "a")
		})
	}
}

// TestSocketsOverFIPS has the program begin anew, in the same process, with its sockets.
func TestSocketsOverFIPS(t *testing.T) {
	t.Parallel()
	m := newServiceManager(t)
	at := "127.0.0.1:" + testpeer.FreePort(t)
	d := activated(t, self(t), "fips = yes\n"+served(t, "a"), m.path, "", at)
	m.expect("READY", "1")
	d.WaitLine(`FIPS mode enabled$`)
	leadsTo(t, at, "a")
}

// TestTooManySockets starts neither us nor stunnel.
func TestTooManySockets(t *testing.T) {
	t.Parallel()
	for _, program := range []string{self(t), testpeer.Need(t, "stunnel4", "stunnel4")} {
		one, two := "127.0.0.1:"+testpeer.FreePort(t), "127.0.0.1:"+testpeer.FreePort(t)
		d := activated(t, program, served(t, "a"), "", "", one, two)
		if status := d.Wait(); status != 1 {
			t.Errorf("%s: status %d", program, status)
		}
		d.WaitLine(`Too many listening file descriptors received from systemd, got 2`)
	}
}

// TestNamedSockets has sockets go to the services that they are named after.
func TestNamedSockets(t *testing.T) {
	t.Parallel()
	one, two := "127.0.0.1:"+testpeer.FreePort(t), "127.0.0.1:"+testpeer.FreePort(t)
	d := activated(t, self(t), served(t, "a", "b", "c"), "", "c:b", one, two)
	d.WaitLine(`: Accepting new connections$`)
	leadsTo(t, one, "c")
	leadsTo(t, two, "b")
	leadsTo(t, d.Addr("a"), "a")

	one, two = "127.0.0.1:"+testpeer.FreePort(t), "127.0.0.1:"+testpeer.FreePort(t)
	d = activated(t, self(t), served(t, "a", "b"), "", "b:x", one, two)
	if status := d.Wait(); status != 1 {
		t.Errorf("status %d", status)
	}
	d.WaitLine(`no service with accept is called \["x"\]`)
}

// leadsTo checks which backend a TLS client gets to.
func leadsTo(t *testing.T, addr, want string) {
	t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: testpeer.Patience}, "tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	if got, err := io.ReadAll(c); string(got) != want || err != nil {
		t.Errorf("%s leads to %q, %v, not to %q", addr, got, err, want)
	}
}

// serviceManager is where a daemon's notifications go.
type serviceManager struct {
	t testing.TB
	*net.UnixConn
	path string
}

func newServiceManager(t *testing.T) *serviceManager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	return &serviceManager{t, c, path}
}

// next is the next notification but for the watchdog's. What comes with a barrier is
// closed.
func (m *serviceManager) next() map[string]string {
	m.t.Helper()
	b, oob := make([]byte, 4096), make([]byte, 256)
	for {
		n, oobn, _, _, err := m.ReadMsgUnix(b, oob)
		if err != nil {
			m.t.Fatal(err)
		}
		if msgs, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil && len(msgs) > 0 {
			fds, _ := unix.ParseUnixRights(&msgs[0])
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
		all := map[string]string{}
		for line := range strings.Lines(string(b[:n])) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
			all[k] = v
		}
		if all["WATCHDOG"] == "" {
			return all
		}
	}
}

func (m *serviceManager) expect(key, value string) map[string]string {
	m.t.Helper()
	got := m.next()
	if got[key] != value {
		m.t.Errorf("notified of %v, not of %s=%s", got, key, value)
	}
	return got
}

// TestNotifiesServiceManager follows a daemon from its start to its end.
func TestNotifiesServiceManager(t *testing.T) {
	t.Parallel()
	m := newServiceManager(t)
	d := testpeer.StartEnv(t, []string{"NOTIFY_SOCKET=" + m.path}, self(t), served(t, "a"))
	if got := m.expect("READY", "1"); got["STATUS"] != "Accepting new connections (services: 1)" {
		t.Errorf("status %q", got["STATUS"])
	}
	reload := func(conf, status string) {
		t.Helper()
		d.Write(t, conf)
		d.Signal(syscall.SIGHUP)
		if got := m.expect("RELOADING", "1"); got["MONOTONIC_USEC"] == "" {
			t.Errorf("notified of %v without the time", got)
		}
		if got := m.expect("READY", "1"); got["STATUS"] != status {
			t.Errorf("status %q", got["STATUS"])
		}
	}
	reload(served(t, "a", "b"), "Accepting new connections (services: 2)")
	reload("nonsense\n", "Failed to reload the configuration file; the old one holds")
	d.Signal(syscall.SIGTERM)
	m.expect("STOPPING", "1")
	d.Wait()
}

// TestAnswersWatchdog waits for several of its turns.
func TestAnswersWatchdog(t *testing.T) {
	t.Parallel()
	m := newServiceManager(t)
	testpeer.StartEnv(t, []string{"NOTIFY_SOCKET=" + m.path, "WATCHDOG_USEC=20000"}, self(t), served(t, "a"))
	b := make([]byte, 4096)
	for answers := 0; answers < 5; {
		n, err := m.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if string(b[:n]) == "WATCHDOG=1" {
			answers++
		}
	}
}

// TestNotifiesFromBackground has the process that systemd has started present the daemon,
// with its sockets and its watchdog.
func TestNotifiesFromBackground(t *testing.T) {
	t.Parallel()
	m := newServiceManager(t)
	at := "127.0.0.1:" + testpeer.FreePort(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "stunnel.conf")
	text := "syslog = no\ndebug = 7\noutput = " + dir + "/log\n" + served(t, "a")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testpeer.RunCommand(t, exec.Command(testpeer.Need(t, "systemd-socket-activate", "systemd"),
		"-E", asDaemon+"=1", "-E", "NOTIFY_SOCKET="+m.path, "-E", "WATCHDOG_USEC=60000000", "-l", at, self(t), conf))
	p.WaitLine(`^Listening on `)
	if c, err := net.Dial("tcp", at); err == nil {
		c.Close()
	}
	got := m.expect("READY", "1")
	pid, err := strconv.Atoi(got["MAINPID"])
	if err != nil || pid == p.PID() {
		t.Fatalf("MAINPID %q of %d", got["MAINPID"], p.PID())
	}
	ended, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ended)
	t.Cleanup(func() { unix.PidfdSendSignal(ended, unix.SIGKILL, nil, 0) })
	m.expect("BARRIER", "1")
	if status := p.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	leadsTo(t, at, "a")
	if err := unix.PidfdSendSignal(ended, unix.SIGTERM, nil, 0); err != nil {
		t.Fatal(err)
	}
	m.expect("STOPPING", "1")
	unix.Poll([]unix.PollFd{{Fd: int32(ended), Events: unix.POLLIN}}, int(testpeer.Patience.Milliseconds()))
	log, err := os.ReadFile(dir + "/log")
	if err != nil || !strings.Contains(string(log), "Answering the watchdog of the service manager: 1m0s") {
		t.Errorf("log %s, %v", log, err)
	}
}
