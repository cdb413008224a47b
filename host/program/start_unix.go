//go:build unix

package program

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Start starts the program. A program that cannot be executed is an error here; stunnel
// finds out in the child, which ends.
func (c *Command) Start() (*Process, error) {
	p := &Process{}
	attr := &syscall.SysProcAttr{}
	var theirs *os.File
	var err error
	if c.Terminal {
		p.Conn, theirs, err = openTerminal()
		// In a session of its own: the signals of the terminal's keys go to the program,
		// and the hang-up too.
		attr.Setsid, attr.Setctty, attr.Ctty = true, true, 0
	} else {
		p.Conn, theirs, err = socketPair()
	}
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if c.Terminal {
		p.Terminal = theirs.Name()
	}
	stderr := theirs
	if c.Stderr != nil {
		stderr = c.Stderr
	}
	heedSignals()
	// Not by os/exec, which would leave one of two variables of a name.
	proc, err := os.StartProcess(c.Path, c.argv(), &os.ProcAttr{
		Env:   c.Env,
		Files: []*os.File{theirs, theirs, stderr},
		Sys:   attr,
	})
	if err != nil {
		p.Conn.Close()
		return nil, err
	}
	p.PID = proc.Pid
	p.wait = func() (string, error) {
		s, err := proc.Wait()
		if err != nil {
			return "", err
		}
		return ending(s.Sys().(syscall.WaitStatus)), nil
	}
	return p, nil
}

// ending words how a process ended.
func ending(s syscall.WaitStatus) string {
	if !s.Signaled() {
		return fmt.Sprintf("finished with code %d", s.ExitStatus())
	}
	if name := unix.SignalName(s.Signal()); name != "" {
		return "terminated on " + name
	}
	return fmt.Sprintf("terminated on signal %d", s.Signal())
}

// socketPair gives our end and the program's. In a place without the loopback device, or
// where this process may not listen, it is a pair of Unix sockets.
func socketPair() (net.Conn, *os.File, error) {
	ours, theirs, err := loopbackPair()
	if err != nil {
		return unixPair()
	}
	defer theirs.Close()
	f, err := duplicate(theirs)
	if err != nil {
		ours.Close()
		return nil, nil, err
	}
	return ours, f, nil
}

// duplicate gives a connection's descriptor as a file that blocks, as programs expect.
func duplicate(c syscall.Conn) (*os.File, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	if e := rc.Control(func(f uintptr) {
		if fd, err = unix.FcntlInt(f, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			err = unix.SetNonblock(fd, false)
		}
	}); e != nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

func unixPair() (net.Conn, *os.File, error) {
	// Not to be inherited by a program that starts at the same time.
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
	f := os.NewFile(uintptr(fds[0]), "socket")
	defer f.Close()
	theirs := os.NewFile(uintptr(fds[1]), "socket")
	ours, err := net.FileConn(f)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}
