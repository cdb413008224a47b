//go:build unix

package testpeer

import (
	"os"
	"syscall"
)

// killGroup ends a program and its children: the group has the program's own
// number, see childAttributes.
func killGroup(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
