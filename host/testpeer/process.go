package testpeer

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxLine is the longest line of output that is kept whole, in bytes.
const maxLine = 1 << 20

// A Process is a running program whose output is collected by lines. It is killed
// with its children when the test ends.
type Process struct {
	Stdin io.WriteCloser

	t       testing.TB
	name    string
	cmd     *exec.Cmd
	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed at the next line
	done    chan struct{} // closed when it has ended and all output is in
	err     error         // of Wait, after done
}

// Run starts a program with standard output and standard error collected.
func Run(t testing.TB, path string, args ...string) *Process {
	t.Helper()
	return RunCommand(t, exec.Command(path, args...))
}

// RunCommand is Run for a command whose directory or environment matter.
func RunCommand(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{t: t, name: cmd.Path, cmd: cmd, changed: make(chan struct{}), done: make(chan struct{})}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd.Stdout, cmd.Stderr = in, in
	if p.Stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", strings.Join(cmd.Args, " "), strings.Join(p.Lines(), "\n"))
		}
	})
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.collect(out)
	}()
	go func() {
		err := cmd.Wait()
		// A grandchild may hold the pipe open; what the program wrote itself is in it.
		select {
		case <-read:
		case <-time.After(time.Second):
		}
		out.Close()
		<-read
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(p.done)
	}()
	return p
}

func (p *Process) collect(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, strings.TrimSuffix(s.Text(), "\r"))
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
}

// Lines gives what was written so far.
func (p *Process) Lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// Output is Lines as one text.
func (p *Process) Output() string { return strings.Join(p.Lines(), "\n") }

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// WaitLine waits until a line matches and gives the pattern's first group, or the
// line when there is none. Lines that were written before count.
func (p *Process) WaitLine(pattern string) string {
	p.t.Helper()
	return p.WaitLines(pattern, 1)[0]
}

// WaitLines waits until n lines match.
func (p *Process) WaitLines(pattern string, n int) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.NewTimer(Patience)
	defer late.Stop()
	ended := false
	for {
		p.mu.Lock()
		changed := p.changed
		found := matches(re, p.lines)
		p.mu.Unlock()
		if len(found) >= n {
			return found
		}
		if ended {
			p.t.Fatalf("%s has ended with %d of %d lines like %q", p.name, len(found), n, pattern)
		}
		select {
		case <-changed:
		case <-p.done:
			ended = true // its last lines are in, look once more
		case <-late.C:
			p.t.Fatalf("%s has written %d of %d lines like %q", p.name, len(found), n, pattern)
		}
	}
}

// Count says how many lines match so far.
func (p *Process) Count(pattern string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(matches(regexp.MustCompile(pattern), p.lines))
}

func matches(re *regexp.Regexp, lines []string) []string {
	var found []string
	for _, l := range lines {
		if m := re.FindStringSubmatch(l); len(m) > 1 {
			found = append(found, m[1])
		} else if m != nil {
			found = append(found, l)
		}
	}
	return found
}

// Wait waits until the program ends by itself and gives its exit status, -1 after
// a signal.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		p.t.Fatalf("%s does not end", p.name)
	}
	var exit *exec.ExitError
	switch {
	case p.err == nil:
		return 0
	case errors.As(p.err, &exit):
		return exit.ExitCode()
	}
	p.t.Fatalf("waiting for %s: %v", p.name, p.err)
	return -1
}

// Signal sends a signal to the program.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Errorf("signalling %s: %v", p.name, err)
	}
}

// kill ends the program with its children, if it runs still.
func (p *Process) kill() {
	select {
	case <-p.done:
		return
	default:
	}
	killGroup(p.cmd.Process)
	<-p.done
}

// WaitPort waits until a program accepts connections at an address.
func (p *Process) WaitPort(network, address string) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for {
		c, err := net.Dial(network, address)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("%s has ended and accepts nothing at %s", p.name, address)
		case <-late.C:
			p.t.Fatalf("%s does not accept at %s: %v", p.name, address, err)
		}
	}
}
