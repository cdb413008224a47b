//go:build unix

package logging

import (
	"os"
	"syscall"
)

// openFile opens a log file to append to, emptying it first if truncate. A
// FIFO that nobody reads is an error; it would block the start otherwise.
func openFile(name string, truncate bool) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND | syscall.O_NONBLOCK
	if truncate {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(name, flags, fileMode)
}
