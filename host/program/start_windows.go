package program

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Start starts the program. Its standard input and output are pipes, between which and
// the connection this process carries the bytes. Its arguments are one line here, which
// the program splits itself: Args with blanks between, and nothing quoted or escaped.
func (c *Command) Start() (*Process, error) {
	if c.Terminal {
		return nil, errors.New("this system has no pseudo terminals")
	}
	ours, theirs, err := loopbackPair()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: c.Path, Args: c.argv(), Env: c.Env}
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: strings.Join(c.Args, " ")} // empty: from cmd.Args
	b, err := startPiped(cmd, c.Stderr)
	if err != nil {
		ours.Close()
		theirs.Close()
		return nil, err
	}
	ended := make(chan struct{})
	go b.carry(theirs, ended)
	wait := func() (string, error) {
		defer close(ended)
		s, err := cmd.Process.Wait()
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("finished with code %d", s.ExitCode()), nil
	}
	return &Process{Conn: ours, PID: cmd.Process.Pid, wait: wait}, nil
}

// startPiped starts a command whose standard input and output are pipes, and gives their
// other ends. Its standard error is a file, or nil: the output's pipe.
func startPiped(cmd *exec.Cmd, stderr *os.File) (bridge, error) {
	in, input, err := os.Pipe()
	if err != nil {
		return bridge{}, err
	}
	defer in.Close()
	output, out, err := os.Pipe()
	if err != nil {
		input.Close()
		return bridge{}, err
	}
	defer out.Close()
	if stderr == nil {
		stderr = out
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, stderr
	if err := cmd.Start(); err != nil {
		input.Close()
		output.Close()
		return bridge{}, err
	}
	return bridge{input, output}, nil
}
