//go:build !unix

package privilege

import "errors"

// Assume refuses any change: root directories, groups and users of a process are of Unix.
func Assume(i Identity) error {
	if i != (Identity{}) {
		return errors.New("chroot, setgid and setuid exist on Unix systems alone")
	}
	return nil
}
