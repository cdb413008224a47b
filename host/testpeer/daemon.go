package testpeer

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// preamble is what every daemon under test starts with: in the foreground, with
// all its lines on standard error and nowhere else.
const preamble = "foreground = yes\nsyslog = no\ndebug = debug\n"

// A Daemon is a running stunnel-wasm.
type Daemon struct {
	*Process
	Config string // its configuration file, for a test that reloads
	stop   sync.Once
}

// Start runs the daemon on a configuration, behind a preamble of foreground = yes,
// syslog = no and debug = debug, and waits until it accepts connections. It is
// stopped, with the checks of Stop, when the test ends.
func Start(t testing.TB, binary, conf string) *Daemon {
	t.Helper()
	return StartEnv(t, nil, binary, conf)
}

// StartEnv is Start with more variables in the daemon's environment.
func StartEnv(t testing.TB, env []string, binary, conf string) *Daemon {
	t.Helper()
	d := LaunchEnv(t, env, binary, conf)
	d.WaitLine(`: Accepting new connections$`)
	return d
}

// Launch is Start without the wait, for a daemon that is meant not to start.
func Launch(t testing.TB, binary, conf string) *Daemon {
	t.Helper()
	return LaunchEnv(t, nil, binary, conf)
}

// LaunchEnv is Launch with more variables in the daemon's environment.
func LaunchEnv(t testing.TB, env []string, binary, conf string) *Daemon {
	t.Helper()
	d := Prepare(t, conf)
	cmd := exec.Command(binary, d.Config)
	if len(env) > 0 {
		cmd.Env = append(os.Environ(), env...)
	}
	d.Begin(t, cmd)
	return d
}

// Prepare writes a daemon's configuration, for Begin to start it.
func Prepare(t testing.TB, conf string) *Daemon {
	t.Helper()
	d := &Daemon{Config: filepath.Join(t.TempDir(), "stunnel.conf")}
	d.Write(t, conf)
	return d
}

// Begin is Launch for a command of the caller's, which runs the daemon or becomes it.
func (d *Daemon) Begin(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	d.Process = RunCommand(t, cmd)
	t.Cleanup(func() {
		select {
		case <-d.done:
			d.inspect()
		default:
			d.Stop()
		}
	})
}

// Write puts a new configuration behind the preamble in the daemon's file.
func (d *Daemon) Write(t testing.TB, conf string) {
	t.Helper()
	if err := os.WriteFile(d.Config, []byte(preamble+conf), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Addr gives the address that a service is bound to as net.Dial takes it. So a
// configuration says accept = 127.0.0.1:0 and tests never share a port.
func (d *Daemon) Addr(service string) string {
	d.t.Helper()
	text := d.WaitLine(`Service \[` + regexp.QuoteMeta(service) + `\] \(FD=\d+\) bound to (.*)$`)
	i := strings.LastIndexByte(text, ':')
	if i < 0 || !strings.Contains(text[:i], ":") {
		return text
	}
	return "[" + text[:i] + "]" + text[i:] // the log has no brackets around IPv6
}

// Stop ends the daemon by SIGTERM and checks that it does so with status 0 and
// without a stack dump or a data race.
func (d *Daemon) Stop() {
	d.t.Helper()
	d.stop.Do(func() {
		d.Signal(syscall.SIGTERM)
		if status := d.Wait(); status != 0 {
			d.t.Errorf("the daemon's exit status is %d", status)
		}
		d.inspect()
	})
}

// inspect looks for what a Go program writes when it is broken.
func (d *Daemon) inspect() {
	d.t.Helper()
	for _, l := range d.Lines() {
		if strings.Contains(l, "DATA RACE") || strings.HasPrefix(l, "panic: ") || strings.HasPrefix(l, "fatal error: ") || strings.HasPrefix(l, "goroutine ") {
			d.t.Errorf("the daemon has written %q", l)
			return
		}
	}
}
