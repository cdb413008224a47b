package testpeer

import (
	"bytes"
	"os/exec"
	"testing"
	"time"
)

// CombinedOutput is the method of a command that could wait for ever: one that starts the
// test program again, a client, a daemon that is meant to end or to go to the background.
// After Patience it is killed, and the test fails with what it wrote.
func CombinedOutput(t testing.TB, cmd *exec.Cmd) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := runToEnd(t, cmd, &out)
	return out.Bytes(), err
}

// Output is CombinedOutput without standard error.
func Output(t testing.TB, cmd *exec.Cmd) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout = &out
	err := runToEnd(t, cmd, &out)
	return out.Bytes(), err
}

func runToEnd(t testing.TB, cmd *exec.Cmd, out *bytes.Buffer) error {
	t.Helper()
	cmd.WaitDelay = Patience // for children that live on and hold a pipe open
	if err := cmd.Start(); err != nil {
		return err
	}
	late := time.AfterFunc(Patience, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	if !late.Stop() {
		t.Errorf("%s does not end; so far it has written:\n%s", cmd, out)
	}
	return err
}
