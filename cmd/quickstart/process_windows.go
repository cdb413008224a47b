package main

import (
	"os"
	"os/exec"
	"syscall"
)

// apart makes a program start in a process group of its own.
func apart(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// end kills: Windows has nothing like SIGTERM for a program in the same console.
func end(p *os.Process) error { return p.Kill() }
