//go:build !windows

package fault

import "syscall"

// AddressInUse is the error of a socket whose address is taken.
const AddressInUse = syscall.EADDRINUSE

// meanings adds nothing: the names are the numbers.
var meanings map[syscall.Errno][]syscall.Errno
