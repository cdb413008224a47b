package testpeer

import "syscall"

// childAttributes puts a program in a process group of its own, so that its
// children can be ended with it, and ends it when the test process dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
