package daemon

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestOutliveUsers begins a thread as the system does to tell a process of an event.
func TestOutliveUsers(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := outliveUsers(); err != nil {
		t.Fatal(err)
	}
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	tell := func(event uintptr) windows.Handle {
		t.Helper()
		h, _, err := kernel.NewProc("CreateThread").Call(0, 0, kernel.NewProc("CtrlRoutine").Addr(), event, 0, 0)
		if h == 0 {
			t.Fatal(err)
		}
		return windows.Handle(h)
	}
	told := tell(windows.CTRL_LOGOFF_EVENT)
	defer windows.CloseHandle(told)
	if got, err := windows.WaitForSingleObject(told, uint32(testpeer.Patience.Milliseconds())); got != windows.WAIT_OBJECT_0 {
		t.Errorf("%#x, %v: the system waits for an end", got, err)
	}
	select {
	case s := <-signals:
		t.Errorf("a user who leaves is %v", s)
	default:
	}
	// All else that ends a service does.
	windows.CloseHandle(tell(windows.CTRL_SHUTDOWN_EVENT))
	select {
	case <-signals:
	case <-time.After(testpeer.Patience):
		t.Error("the system may not stop")
	}
}
