//go:build cgo

package token

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// jail in the environment has the test program sign inside that directory.
const jail = "TOKEN_TEST_JAIL"

// signInJail opens a key, changes the root, and signs more at once than there are sessions
// open before.
func signInJail() int {
	s := Source{Module: os.Getenv("TOKEN_TEST_MODULE"), PIN: mainPIN}
	k, err := s.Key(URI{Token: mainToken, Object: "rsa"}, nil)
	if err == nil {
		err = syscall.Chroot(os.Getenv(jail))
	}
	if err == nil {
		err = os.Chdir("/")
	}
	if _, e := os.Stat(s.Module); err == nil && e == nil {
		err = fmt.Errorf("the module is in the jail too")
	}
	results := make(chan error)
	for range 8 {
		go func() {
			if err != nil {
				results <- err
				return
			}
			results <- sign(k)
		}()
	}
	for range 8 {
		if err := <-results; err != nil {
			fmt.Println(err)
			return 1
		}
	}
	return 0
}

// TestChroot signs after a change of root. SoftHSM's own files have to be in the jail, as
// it looks at them for each object; the module and its libraries do not.
func TestChroot(t *testing.T) {
	testpeer.NeedRoot(t, "chroot")
	h := hsm(t)
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, h.Dir, "tokens"), os.DirFS(filepath.Join(h.Dir, "tokens"))); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), jail+"="+root, "TOKEN_TEST_MODULE="+h.Module, "FAULT_DIR=/nonexistent")
	if out, err := testpeer.CombinedOutput(t, cmd); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
