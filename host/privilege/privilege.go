// Package privilege takes from a process what it needs no more once its ports are bound.
//
// [Assume] gives it another root directory, group and user, as stunnel's chroot, setgid
// and setuid do, in stunnel's order. What it can reach later lies in the new root: files
// that it needs have to be read before, or be there.
package privilege

import "errors"

// An Identity is what a process is to be. The zero value asks for no change.
type Identity struct {
	Root string // directory that becomes the root; empty: none
	GID  int    // also the only supplementary group; 0: groups stay
	UID  int    // 0: the user stays
}

// ErrKept is Assume's error where the system gives root back to a process that gave it up.
var ErrKept = errors.New("setuid: root can be taken again: the process has the securebit no_setuid_fixup")
