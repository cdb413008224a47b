//go:build !unix

package program

import (
	"errors"
	"fmt"
	"os/exec"
)

// Start starts the program. Its standard input and output are pipes, between which and
// the connection this process carries the bytes.
func (c *Command) Start() (*Process, error) {
	if c.Terminal {
		return nil, errors.New("this system has no pseudo terminals")
	}
	ours, theirs, err := loopbackPair()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: c.Path, Args: c.argv(), Env: c.Env, Stdin: theirs, Stdout: theirs, Stderr: theirs}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	if err := cmd.Start(); err != nil {
		ours.Close()
		theirs.Close()
		return nil, err
	}
	wait := func() (string, error) {
		s, err := cmd.Process.Wait()
		theirs.Close() // what copies from it ends with that
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("finished with code %d", s.ExitCode()), nil
	}
	return &Process{Conn: ours, PID: cmd.Process.Pid, wait: wait}, nil
}
