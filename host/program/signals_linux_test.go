package program

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestIgnoredSignalsAreNotInherited goes on in a process that a shell has told to ignore what
// nohup and shells without job control do.
func TestIgnoredSignalsAreNotInherited(t *testing.T) {
	const inside = "STUNNEL_TEST_IGNORES"
	if os.Getenv(inside) == "" {
		c := exec.Command("/bin/sh", "-c", `trap "" HUP INT; exec "$0" "$@"`, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=1m")
		c.Env = append(os.Environ(), inside+"=1")
		if out, err := testpeer.CombinedOutput(t, c); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if !signal.Ignored(s) {
			t.Fatalf("%v is not ignored", s)
		}
	}
	for _, terminal := range []bool{false, true} {
		var ignored uint64
		line := run(t, `grep SigIgn /proc/self/status`, terminal)
		if _, err := fmt.Sscanf(line, "SigIgn: %x", &ignored); err != nil {
			t.Fatalf("the program writes %q: %v", line, err)
		}
		if ignored&(1<<(syscall.SIGHUP-1)|1<<(syscall.SIGINT-1)) != 0 {
			t.Fatalf("terminal %v: the program ignores %x", terminal, ignored)
		}
	}
	// This process goes on to.
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if err := syscall.Kill(syscall.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		if got := <-dropped; got != s {
			t.Errorf("%v is dropped, not %v", got, s)
		}
	}
}
