package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// threadsDirectory is where all threads of a process are found.
const threadsDirectory = "/proc/self/task"

// Enter gives up what s says and n does not need, in all threads. It comes before a change
// of root or user: it needs /proc. say gets a line for each part, done or left out; what is
// not done by default alone is no error.
func Enter(s config.Sandbox, n Needs, say Say) (*Entered, error) {
	e := &Entered{needs: n}
	if !s.NoNewPrivs && !s.Capabilities && !s.Landlock {
		return e, nil
	}
	_, err := os.ReadDir(threadsDirectory)
	if err == nil {
		err = e.enter(s, n, say)
	}
	if err != nil && !s.Said {
		say(false, err.Error())
		return e, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return e, nil
}

func (e *Entered) enter(s config.Sandbox, n Needs, say Say) (err error) {
	switch {
	case s.NoNewPrivs && n.All && !s.Said:
		say(false, "no_new_privs is left out: programs of exec may need more")
	case s.NoNewPrivs:
		if err := allThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
			return fmt.Errorf("no_new_privs: %w", err)
		}
		e.NoNewPrivs = true
		say(true, "no_new_privs: no program gains privileges from here on")
	}
	switch {
	case s.Capabilities && n.All:
		say(false, "capabilities are left as they are: programs of exec may need any")
	case s.Capabilities:
		kept, err := reduce(n.Capabilities)
		if err != nil {
			return fmt.Errorf("capabilities: %w", err)
		}
		e.Capabilities = true
		if len(kept) == 0 {
			kept = []string{"none"}
		}
		say(true, "capabilities: "+strings.Join(kept, ","))
	}
	// Last, for it hides what the others read.
	if s.Landlock {
		if e.Landlock, err = enterLandlock(n, say); err != nil {
			return fmt.Errorf("landlock: %w", err)
		}
	}
	return nil
}

// Undumpable lets no core file be written, in which keys would be, and no other process of
// this user look into the memory. It comes last: a change of user sets it anew.
func Undumpable(say Say) error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("sandbox: dumpable: %w", err)
	}
	say(true, "dumpable off: no core files, no debugger of this user")
	return nil
}

// allThreads makes a system call in every thread of the process, with zeros behind.
func allThreads(call, a, b uintptr) error {
	if _, _, errno := psx.Syscall6(call, a, b, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// errOld is for a kernel without what is asked for.
func errOld(err error) bool { return errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) }
