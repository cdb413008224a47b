//go:build unix

package daemon

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// beginAnew executes this program again in the other mode. It returns only an error.
func (d *daemon) beginAnew(fips bool) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	args := os.Args
	if d.src.Path == "" {
		// The descriptor has been read, which can be done once only.
		text, err := memoryFile(d.src.text)
		if err != nil {
			return err
		}
		defer text.Close()
		fd := text.Fd()
		if _, err := unix.FcntlInt(fd, unix.F_SETFD, 0); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		args = []string{os.Args[0], "-fd", fmt.Sprint(fd)}
	}
	if err := d.manager.Keep(false); err != nil {
		return err
	}
	return os.NewSyscallError("execve", syscall.Exec(exe, args, append(inMode(fips, d.nextEnviron()), d.manager.Again()...)))
}
