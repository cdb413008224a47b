package daemon

import (
	"os"
	"os/signal"
	"syscall"
)

// Windows has no such signals. The commands of the service control manager arrive as
// these in their place, with the numbers that Linux has for them.
const (
	reopenSignal = syscall.Signal(10)
	listSignal   = syscall.Signal(12)
)

// catch starts to take what a console sends: Ctrl-C and Ctrl-Break come as SIGINT; a
// window that is closed, a user who leaves and a system that stops as SIGTERM.
func (d *daemon) catch() {
	d.signals = make(chan os.Signal, caught)
	signal.Notify(d.signals, syscall.SIGINT, syscall.SIGTERM)
}
