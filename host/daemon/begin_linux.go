package daemon

import (
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// unblockSignals begins this process anew where it was started with signals blocked: what
// it executes would inherit that, and a program that cannot be told to end is what nobody
// expects from inetd. The mask of a Go process is settled before main. An error leaves
// things as they are.
func unblockSignals() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var none, blocked unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, nil, &blocked); err != nil || blocked == none {
		return
	}
	exe, err := os.Executable()
	if err != nil {
		return
	}
	// A process takes the mask of the thread that executes it.
	if unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil) == nil {
		syscall.Exec(exe, os.Args, os.Environ())
		unix.PthreadSigmask(unix.SIG_SETMASK, &blocked, nil)
	}
}

// sealDescriptors keeps what this process was started with from the programs that it
// starts: a socket of a service manager or a log of a shell is not theirs.
func sealDescriptors() error {
	err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	// Before Linux 5.11.
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range list {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
