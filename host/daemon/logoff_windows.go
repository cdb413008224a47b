package daemon

import "golang.org/x/sys/windows"

var setConsoleCtrlHandler = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetConsoleCtrlHandler")

// outliveUsers makes a service live on when a user of the machine logs off. Windows tells
// every service of that, whoever it is, by the same call that means "end" to a program in
// the user's console; Go's runtime makes a SIGTERM of it. The handler that was added last
// is asked first, and nobody is asked after one that says 1.
func outliveUsers() error {
	handler := windows.NewCallback(func(event uint32) uintptr {
		if event == windows.CTRL_LOGOFF_EVENT {
			return 1
		}
		return 0
	})
	if ok, _, err := setConsoleCtrlHandler.Call(handler, 1); ok == 0 {
		return err
	}
	return nil
}
