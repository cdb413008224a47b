//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// apart makes a program start in a process group of its own.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func end(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
