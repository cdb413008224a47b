//go:build unix

package privilege

import (
	"os"
	"syscall"
)

// Assume makes the whole process, with all its threads, what i says. Its error is ErrKept
// or an *os.SyscallError that names the call; the process may have changed in part then,
// and should end.
func Assume(i Identity) error {
	if i.Root != "" {
		if err := syscall.Chroot(i.Root); err != nil {
			return os.NewSyscallError("chroot", err)
		}
		// A working directory outside of the root would be a way out of it.
		if err := syscall.Chdir("/"); err != nil {
			return os.NewSyscallError("chdir", err)
		}
	}
	// The user comes last: it is not allowed to change the others.
	if i.GID != 0 {
		if err := syscall.Setgid(i.GID); err != nil {
			return os.NewSyscallError("setgid", err)
		}
		// Those of root would stay otherwise, and group 0 opens many a file.
		if err := syscall.Setgroups([]int{i.GID}); err != nil {
			return os.NewSyscallError("setgroups", err)
		}
	}
	if i.UID != 0 {
		if err := syscall.Setuid(i.UID); err != nil {
			return os.NewSyscallError("setuid", err)
		}
		if syscall.Setuid(0) == nil {
			return ErrKept
		}
	}
	return nil
}
