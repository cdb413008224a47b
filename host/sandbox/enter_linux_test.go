package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// inside in the environment has the test binary go into the sandbox and try its walls.
const inside = "SANDBOX_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(inside); dir != "" {
		os.Exit(try(dir, os.Getenv("SANDBOX_TEST_OLD") != ""))
	}
	os.Exit(m.Run())
}

// try prints what is not as it should be.
func try(dir string, old bool) (status int) {
	wrong := func(format string, args ...any) {
		fmt.Printf(format+"\n", args...)
		status = 1
	}
	// Threads that exist before, to be found by Enter.
	var started, tried sync.WaitGroup
	walls := make(chan struct{})
	for range 8 {
		started.Add(1)
		tried.Add(1)
		go func() {
			defer tried.Done()
			runtime.LockOSThread()
			started.Done()
			<-walls
			if _, err := os.ReadFile(filepath.Join(dir, "outside", "file")); !errors.Is(err, os.ErrPermission) != old {
				wrong("in another thread: %v", err)
			}
		}()
	}
	started.Wait()
	if old {
		runtime.LockOSThread()
		if err := forbidLandlock(); err != nil {
			wrong("%v", err)
		}
	}
	n := Needs{Read: []string{filepath.Join(dir, "read"), "/proc/self/fd"}, Write: []string{filepath.Join(dir, "write"), filepath.Join(dir, "gone")}, Ports: []int{0}}
	var said []string
	e, err := Enter(config.Sandbox{NoNewPrivs: true, Landlock: true, Said: true}, n, func(done bool, text string) {
		said = append(said, fmt.Sprint(done, " ", text))
	})
	if err != nil {
		wrong("entering: %v", err)
		return status
	}
	close(walls)
	tried.Wait()
	if old {
		if e.Landlock || len(said) != 2 || said[1] != "false landlock is left out: this kernel does not have it" {
			wrong("%+v says %q", e, said)
		}
		return status
	}
	if !e.Landlock || len(said) != 2 || !strings.HasPrefix(said[1], "true landlock: 3 paths") {
		wrong("%+v says %q", e, said)
	}
	for path, want := range map[string]error{"read/file": nil, "write/file": nil, "outside/file": os.ErrPermission} {
		if _, err := os.ReadFile(filepath.Join(dir, path)); !errors.Is(err, want) {
			wrong("reading %s: %v", path, err)
		}
	}
	for path, want := range map[string]error{"read/new": os.ErrPermission, "write/new": nil, "outside/new": os.ErrPermission} {
		if err := os.WriteFile(filepath.Join(dir, path), nil, 0o600); !errors.Is(err, want) {
			wrong("writing %s: %v", path, err)
		}
	}
	if err := exec.Command("/bin/true").Run(); !errors.Is(err, os.ErrPermission) {
		wrong("starting a program: %v", err)
	}
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	if ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
		wrong("any port: %v", err)
	} else {
		ln.Close()
	}
	if ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:4711"); !errors.Is(err, os.ErrPermission) {
		wrong("another port: %v", err)
		if err == nil {
			ln.Close()
		}
	}
	return status
}

// forbidLandlock lets this thread find a kernel without Landlock.
func forbidLandlock() error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x50000 | uint32(unix.ENOSYS)}, // SECCOMP_RET_ERRNO
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000},                    // SECCOMP_RET_ALLOW
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// TestWalls looks for ways through, in all threads, and at a kernel without Landlock.
func TestWalls(t *testing.T) {
	if abi, _, _ := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); int(abi) < 4 {
		testpeer.Skip(t, "this kernel's Landlock does not know ports")
	}
	dir := t.TempDir()
	for _, name := range []string{"read", "write", "outside"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"", "1"} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), inside+"="+dir, "SANDBOX_TEST_OLD="+old)
		if out, err := testpeer.CombinedOutput(t, cmd); err != nil {
			t.Errorf("old kernel %q: %v: %s", old, err, out)
		}
	}
}
