package daemon

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file in memory.
func unnamed() (*os.File, error) {
	fd, err := unix.MemfdCreate("stunnel.conf", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), "stunnel.conf"), nil
}
