package program

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo terminal: our end, and the program's.
func openTerminal() (net.Conn, *os.File, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: "/dev/ptmx", Err: err}
	}
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	var theirs uintptr
	if err == nil {
		// Of this very terminal, whatever a jail has in the place of /dev/pts.
		var e syscall.Errno
		theirs, _, e = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
		if e != 0 {
			err = e
		}
	}
	if err != nil {
		master.Close()
		return nil, nil, os.NewSyscallError("ioctl", err)
	}
	name := "/dev/pts/" + strconv.Itoa(n)
	return &terminal{file: master, name: name}, os.NewFile(theirs, name), nil
}

// A terminal is our end of a pseudo terminal. It embeds no file: nobody is to read its
// descriptor behind Read's back.
type terminal struct {
	file *os.File
	name string
}

// Read says io.EOF when no program has the terminal open any more, which Linux tells by
// EIO. It may do so before it hands out what a program wrote that a key has interrupted,
// and that has ended since: only the second EIO counts.
func (t *terminal) Read(p []byte) (int, error) {
	n, err := t.file.Read(p)
	if errors.Is(err, syscall.EIO) {
		n, err = t.file.Read(p)
	}
	if errors.Is(err, syscall.EIO) {
		err = io.EOF
	}
	return n, err
}

func (t *terminal) Write(p []byte) (int, error) {
	n, err := t.file.Write(p)
	if errors.Is(err, syscall.EIO) {
		err = os.NewSyscallError("write", syscall.EPIPE)
	}
	return n, err
}

func (t *terminal) Close() error                  { return t.file.Close() }
func (t *terminal) SetDeadline(u time.Time) error { return t.file.SetDeadline(u) }

func (t *terminal) SetReadDeadline(u time.Time) error  { return t.file.SetReadDeadline(u) }
func (t *terminal) SetWriteDeadline(u time.Time) error { return t.file.SetWriteDeadline(u) }

func (t *terminal) LocalAddr() net.Addr  { return address(t.name) }
func (t *terminal) RemoteAddr() net.Addr { return address(t.name) }

// An address names a terminal.
type address string

func (address) Network() string  { return "pty" }
func (a address) String() string { return string(a) }
