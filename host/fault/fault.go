// Package fault tells system calls' errors apart by their Unix names on every system.
//
// On Windows, sockets fail with numbers of their own, and [errors.Is] takes none of them
// for syscall.ECONNREFUSED and its like, which Go only invents there.
package fault

import (
	"errors"
	"slices"
	"syscall"
)

// Is tells whether an error is one of those that the names mean here.
func Is(err error, names ...syscall.Errno) bool {
	var e syscall.Errno
	return errors.As(err, &e) && slices.ContainsFunc(names, func(name syscall.Errno) bool {
		return e == name || slices.Contains(meanings[name], e)
	})
}
