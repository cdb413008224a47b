package program

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestEnviron(t *testing.T) {
	inherited := []string{
		"PATH=/bin", "REMOTE_HOST=192.0.2.66", "SSL_CLIENT_DN=CN=admin", "SSL_CLIENT_I_DN=CN=us", "REMOTE_PORT=1",
		"GODEBUG=fips140=on", "GOMAXPROCS=1", "LISTEN_FDS=1", "LISTEN_PID=7", "LISTEN_FDNAMES=a", "NOTIFY_SOCKET=/run/x",
		"WATCHDOG_USEC=1", "WATCHDOG_PID=7", "_STUNNEL_WASM_FIPS=3/", "GODEBUGGER=kept", "REMOTE_HOSTS=kept", "odd",
	}
	kept := []string{"PATH=/bin", "GODEBUGGER=kept", "REMOTE_HOSTS=kept", "odd"}
	for _, c := range []struct {
		peer Peer
		want []string
	}{
		{Peer{}, nil},
		{Peer{Host: "::1", Port: "99"}, []string{"REMOTE_HOST=::1", "REMOTE_PORT=99"}},
		{Peer{"a", "1", "C=PL, CN=x", "CN=y"}, []string{"REMOTE_HOST=a", "REMOTE_PORT=1", "SSL_CLIENT_DN=C=PL, CN=x", "SSL_CLIENT_I_DN=CN=y"}},
	} {
		if got, want := Environ(inherited, c.peer), slices.Concat(c.want, kept); !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", c.peer, got, want)
		}
	}
}

// run starts a shell and gives all that it writes.
func run(t *testing.T, script string, terminal bool) string {
	t.Helper()
	p := begin(t, &Command{Path: "/bin/sh", Args: []string{"name", "-c", script, "zero", "one two"}, Env: []string{"PATH=/bin:/usr/bin"}, Terminal: terminal})
	defer p.Conn.Close()
	text, err := io.ReadAll(p.Conn)
	if err != nil {
		t.Fatalf("read %q, %v", text, err)
	}
	if how, err := p.Wait(); how != "finished with code 0" || err != nil {
		t.Errorf("the program %s, %v", how, err)
	}
	return string(text)
}

func begin(t *testing.T, c *Command) *Process {
	t.Helper()
	p, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestArguments(t *testing.T) {
	if got := run(t, `echo "$0,$1,$#"; echo e >&2`, false); got != "zero,one two,1\ne\n" {
		t.Errorf("got %q", got)
	}
}

// TestNothingElseIsInherited counts the sockets and terminals that a program finds, while
// this process has others.
func TestNothingElseIsInherited(t *testing.T) {
	other := begin(t, &Command{Path: "/bin/cat"})
	defer other.Wait()
	defer other.Conn.Close()
	for _, terminal := range []bool{false, true} {
		// Those of the shell's own pipe may close while ls looks, which it says.
		got := run(t, `ls -l /proc/$$/fd 2>/dev/null | grep -cE 'socket:|/dev/ptmx|/dev/pts/|anon_inode'`, terminal)
		if strings.TrimSpace(got) != "3" {
			t.Errorf("terminal %v: %s of them, not 3", terminal, got)
		}
	}
}

// TestSockets has a program ask for its peer's address as those of inetd do.
func TestSockets(t *testing.T) {
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer theirs.Close()
	peer, err := syscall.Getpeername(int(theirs.Fd()))
	in, ok := peer.(*syscall.SockaddrInet4)
	if err != nil || !ok || in.Port != ours.LocalAddr().(*net.TCPAddr).Port || in.Addr != [4]byte{127, 0, 0, 1} {
		t.Errorf("the program's peer is %#v, %v; ours is %v", peer, err, ours.LocalAddr())
	}
}

// TestUnixPair is what there is without a loopback device.
func TestUnixPair(t *testing.T) {
	ours, theirs, err := unixPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs.WriteString("out")
	theirs.Close()
	if text, err := io.ReadAll(ours); string(text) != "out" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}

// TestStrangersAreTurnedAway has somebody connect to the port of a pair first, who would
// speak with our client in the program's place.
func TestStrangersAreTurnedAway(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var strangers []net.Conn
	for range maxStrangers - 1 {
		c, err := net.Dial("tcp4", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		strangers = append(strangers, c)
	}
	near, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := acceptFrom(ln, near.LocalAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if far.RemoteAddr().String() != near.LocalAddr().String() {
		t.Errorf("%v was taken for %v", far.RemoteAddr(), near.LocalAddr())
	}
	for _, c := range strangers {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a stranger was told something")
		}
	}
}

func TestManyStrangersAreNotWaitedFor(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for range maxStrangers {
		c, err := net.Dial("tcp4", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if c, err := acceptFrom(ln, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}); !errors.Is(err, errStrangers) {
		t.Errorf("%v, %v", c, err)
	}
}

func TestHalfClose(t *testing.T) {
	p := begin(t, &Command{Path: "/bin/cat"})
	defer p.Conn.Close()
	io.WriteString(p.Conn, "through")
	p.Conn.(*net.TCPConn).CloseWrite()
	if text, err := io.ReadAll(p.Conn); string(text) != "through" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	p.Wait()
}

// TestReset has a connection break off: the program must not take that for its end.
func TestReset(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := begin(t, &Command{Path: "/bin/cat", Stderr: in})
	in.Close()
	io.WriteString(p.Conn, "x")
	p.Conn.Read(make([]byte, 1))
	p.Conn.(*net.TCPConn).SetLinger(0)
	p.Conn.Close()
	text, _ := io.ReadAll(out)
	if how, err := p.Wait(); how != "finished with code 1" || err != nil || !strings.Contains(string(text), "reset") {
		t.Errorf("cat %s, %v, and says %q", how, err, text)
	}
}

func TestEndings(t *testing.T) {
	for script, want := range map[string]string{
		"exit 7":      "finished with code 7",
		"kill -9 $$":  "terminated on SIGKILL",
		"kill -15 $$": "terminated on SIGTERM",
	} {
		p := begin(t, &Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}})
		if how, err := p.Wait(); how != want || err != nil {
			t.Errorf("%s: %s, %v", script, how, err)
		}
		p.Conn.Close()
	}
}

func TestNoSuchProgram(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		p, err := (&Command{Path: "/nonexistent", Terminal: terminal}).Start()
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v, %v", p, err)
		}
	}
}

// TestTerminal has a program that leads its own session, on a terminal whose keys send
// signals to it and whose end is an end of file.
func TestTerminal(t *testing.T) {
	p := begin(t, &Command{Path: "/bin/sh", Args: []string{"sh", "-c", `
		set -- $(cat /proc/$$/stat); [ $4 != $6 ] && [ $1 = $6 ] && [ $8 = $5 ] && echo leads
		trap 'echo interrupted; exit 3' INT; tty; echo up >/dev/tty; while read x; do :; done`}, Env: []string{"PATH=/bin:/usr/bin"}, Terminal: true})
	defer p.Conn.Close()
	r := bufio.NewReader(p.Conn)
	for _, want := range []string{"leads\r\n", p.Terminal + "\r\n", "up\r\n"} {
		if line, err := r.ReadString('\n'); line != want || err != nil {
			t.Fatalf("read %q, %v; want %q", line, err, want)
		}
	}
	// The line is for a shell that the signal has found just before it reads.
	io.WriteString(p.Conn, "\x03\n")
	rest, err := io.ReadAll(r)
	if !strings.Contains(string(rest), "interrupted\r\n") || err != nil {
		t.Errorf("read %q, %v", rest, err)
	}
	if how, err := p.Wait(); how != "finished with code 3" || err != nil {
		t.Errorf("%s, %v", how, err)
	}
	if _, err := p.Conn.Write([]byte("x")); err != nil && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing to nobody: %v", err)
	}
}

// TestLastWords interrupts programs that end with a word, while we read.
func TestLastWords(t *testing.T) {
	for range 100 {
		p := begin(t, &Command{Path: "/bin/sh", Args: []string{"sh", "-c", `trap 'echo last; exit' INT; echo first; while read x; do :; done`}, Terminal: true})
		r := bufio.NewReader(p.Conn)
		if line, err := r.ReadString('\n'); line != "first\r\n" || err != nil {
			t.Fatalf("read %q, %v", line, err)
		}
		io.WriteString(p.Conn, "\x03\n")
		if rest, err := io.ReadAll(r); !strings.Contains(string(rest), "last\r\n") || err != nil {
			t.Fatalf("read %q, %v", rest, err)
		}
		p.Wait()
		p.Conn.Close()
	}
}

// TestTerminalHangsUp closes our end.
func TestTerminalHangsUp(t *testing.T) {
	p := begin(t, &Command{Path: "/bin/cat", Terminal: true})
	p.Conn.Close()
	if how, err := p.Wait(); how != "terminated on SIGHUP" || err != nil {
		t.Errorf("%s, %v", how, err)
	}
}
