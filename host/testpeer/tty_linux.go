package testpeer

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A TTY is a program on a terminal of its own, and what stands there.
type TTY struct {
	t       testing.TB
	cmd     *exec.Cmd
	master  *os.File
	mu      sync.Mutex
	text    []byte
	changed chan struct{} // closed at the next output
	read    chan struct{} // closed when no program has the terminal open any more
	done    chan struct{} // closed when the program has ended
}

// RunTTY starts a program as a shell on a terminal does. It is killed when the test ends.
func RunTTY(t testing.TB, path string, args ...string) *TTY {
	t.Helper()
	return RunTTYCommand(t, exec.Command(path, args...))
}

// RunTTYCommand is RunTTY for a command whose namespaces matter.
func RunTTYCommand(t testing.TB, cmd *exec.Cmd) *TTY {
	t.Helper()
	master, slave, err := openPTY()
	if err != nil {
		t.Fatalf("opening a terminal: %v", err)
	}
	p := &TTY{t: t, cmd: cmd, master: master, changed: make(chan struct{}), read: make(chan struct{}), done: make(chan struct{})}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Pdeathsig = true, true, syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		slave.Close()
		master.Close()
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	go func() {
		defer close(p.read)
		p.collect()
	}()
	go func() {
		p.cmd.Wait() // its error is in ProcessState
		// Not before: a program may close its terminal, and open it once more.
		slave.Close()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		master.Close()
		<-p.read
		if t.Failed() {
			t.Logf("terminal of %s:\n%s", cmd.Path, p.Text())
		}
	})
	return p
}

func openPTY() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	raw, err := master.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var n int
	var failed error
	err = raw.Control(func(fd uintptr) {
		n, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		failed = errors.Join(failed, unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0))
	})
	if err = errors.Join(err, failed); err == nil {
		slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

func (p *TTY) collect() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.master.Read(buffer)
		p.mu.Lock()
		p.text = append(p.text, buffer[:n]...)
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			return // EIO: no program has the terminal open any more
		}
	}
}

// Text is what stands on the terminal.
func (p *TTY) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.text)
}

// WaitText waits until a pattern matches n times, and gives the last match's first
// group, or the match where there is none.
func (p *TTY) WaitText(pattern string, n int) string {
	p.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	late := time.NewTimer(Patience)
	defer late.Stop()
	ended := false
	for {
		p.mu.Lock()
		changed := p.changed
		found := re.FindAllSubmatch(p.text, n)
		p.mu.Unlock()
		if len(found) == n {
			last := found[n-1]
			return string(last[min(1, len(last)-1)])
		}
		if ended {
			p.t.Fatalf("%s has ended with %d of %d times %q on the terminal", p.cmd.Path, len(found), n, pattern)
		}
		select {
		case <-changed:
		case <-p.read: // and has ended: its last words are in
			ended = true
		case <-late.C:
			p.t.Fatalf("%d of %d times %q on the terminal", len(found), n, pattern)
		}
	}
}

// Type types a line.
func (p *TTY) Type(line string) {
	p.t.Helper()
	if _, err := p.master.WriteString(line + "\n"); err != nil {
		p.t.Fatal(err)
	}
}

// Echoes tells whether the terminal shows what is typed.
func (p *TTY) Echoes() bool {
	p.t.Helper()
	raw, err := p.master.SyscallConn()
	if err != nil {
		p.t.Fatal(err)
	}
	var state *unix.Termios
	var failed error
	err = raw.Control(func(fd uintptr) { state, failed = unix.IoctlGetTermios(int(fd), unix.TCGETS) })
	if err = errors.Join(err, failed); err != nil {
		p.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// Signal sends a signal to the program.
func (p *TTY) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// Wait waits until the program ends and gives its exit status, -1 after a signal.
func (p *TTY) Wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		p.t.Fatalf("%s does not end", p.cmd.Path)
	}
	return p.cmd.ProcessState.ExitCode()
}

// WaitFile waits until a pattern matches in a file that another program writes, and gives
// its first group, or the match where there is none.
func WaitFile(t testing.TB, path, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for {
		text, _ := os.ReadFile(path) // it may not be there yet
		if found := re.FindSubmatch(text); found != nil {
			return string(found[min(1, len(found)-1)])
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("%s does not come to match %q:\n%s", path, pattern, text)
		}
	}
}
