//go:build unix

package service

import (
	"net"
	"os"
	"syscall"
	"time"
)

// removeStale removes a Unix socket that nobody listens on any more. A live one
// stays, so that a second daemon fails to bind instead of taking over.
func removeStale(path string) {
	fi, err := os.Lstat(path)
	if err != nil || fi.Mode()&os.ModeSocket == 0 {
		return
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return
	}
	os.Remove(path)
}

// descriptorLimit is how many descriptors the process may have. Go has raised the
// soft limit to the hard one at start.
func descriptorLimit() int64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 1024
	}
	return int64(min(r.Cur, 1<<20))
}
