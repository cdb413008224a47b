//go:build unix

package daemon

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
)

// canDetach says that foreground = no leaves the terminal on this system.
const canDetach = true

// detach starts the daemon and waits until it accepts connections or has failed;
// then it has said why on the standard error that both share. The status is the
// exit status of this process. Go cannot fork, so the daemon is this program started again,
// in a session of its own.
func (d *daemon) detach() (status int, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 1, err
	}
	r, w, err := socketPair()
	if err != nil {
		return 1, err
	}
	defer r.Close()
	c := exec.Command(exe, d.src.Path)
	c.Env = append(d.nextEnviron(), daemonVariable+"=")
	if d.begunAnew {
		c.Env = inMode(fips140.Enabled(), c.Env)
	}
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.ExtraFiles = []*os.File{w}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if d.manager.Listens() {
		asSibling(c.SysProcAttr)
	}
	var text *os.File
	if d.src.Path == "" {
		c.Args = []string{c.Args[0], "-fd", fmt.Sprint(configFD)}
		if text, err = memoryFile(d.src.text); err != nil {
			w.Close()
			return 1, err
		}
		defer text.Close()
		c.ExtraFiles = append(c.ExtraFiles, text)
	}
	c.Env = append(c.Env, d.manager.HandOver(readyFD+len(c.ExtraFiles))...)
	for _, s := range d.manager.Sockets {
		c.ExtraFiles = append(c.ExtraFiles, os.NewFile(uintptr(s.FD), s.Name))
	}
	err = c.Start()
	w.Close()
	if err != nil {
		return 1, fmt.Errorf("starting the daemon: %w", err)
	}
	if attend(r, passphrase.Terminal) {
		d.presentChild(c.Process.Pid)
		return 0, nil
	}
	// It has said why, unless it had no time to. How a sibling has ended, its parent sees.
	var exit *exec.ExitError
	if err := c.Wait(); errors.As(err, &exit) && !exit.Exited() {
		return 1, fmt.Errorf("the daemon has ended: %v", exit)
	}
	return 1, nil
}

// memoryFile is an unnamed file with a text: a configuration may hold passwords,
// which must not touch a disk.
func memoryFile(text []byte) (*os.File, error) {
	f, err := unnamed()
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// inherit takes over what a parent passed.
func (d *daemon) inherit() {
	unix.CloseOnExec(readyFD)
	d.ready = os.NewFile(readyFD, "ready")
}

// notifyParent gives the waiting parent its verdict.
func (d *daemon) notifyParent(ok bool) {
	if d.ready == nil {
		return
	}
	if ok {
		writeText(d.ready, saysReady, "") // a parent that is gone needs no answer
	}
	d.ready.Close()
	d.ready = nil
}

// leaveTerminal gives up the standard descriptors and the working directory, which
// the daemon would otherwise keep busy.
func (d *daemon) leaveTerminal() {
	os.Chdir("/")
	for fd := range 3 {
		if err := unix.Dup2(int(d.null.Fd()), fd); err != nil {
			d.ui.Warnf("leaving the terminal: %v", err)
		}
	}
}

// socketPair joins a parent and its daemon.
func socketPair() (a, b *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "daemon"), os.NewFile(uintptr(fds[1]), "ready"), nil
}

// whereLogsGo leaves it to the configuration.
func (d *daemon) whereLogsGo(o logging.Options) logging.Options { return o }
