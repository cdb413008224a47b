//go:build unix && !linux

package testpeer

import "syscall"

// childAttributes puts a program in a process group of its own, so that its
// children can be ended with it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
