//go:build unix

package daemon

import (
	"os"
	"os/signal"
	"syscall"
)

// What the manual gives a signal's name for.
const (
	reopenSignal = syscall.SIGUSR1
	listSignal   = syscall.SIGUSR2
)

// catch starts to take signals. SIGINT stays ignored if it was at start, as a
// script's background jobs expect; whether SIGQUIT and SIGTERM were, as stunnel asks
// too, Go's runtime hides by taking them first. The others are taken in any case, for
// nohup ignores the one that reloads. SIGPIPE never ends the daemon: standard error
// may be a pipe whose reader left.
func (d *daemon) catch() {
	d.signals = make(chan os.Signal, caught)
	ignored := dropSignals()
	signal.Notify(d.signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, syscall.SIGQUIT)
	if !ignored {
		signal.Notify(d.signals, syscall.SIGINT)
	}
}

// dropSignals catches and forgets SIGPIPE, and SIGINT where it is ignored: a signal that
// is ignored stays so in a program that is executed, and then a pipeline of it does not
// end when its reader does; one that is caught is as usual there.
func dropSignals() (interruptIgnored bool) {
	dropped := make(chan os.Signal, 1) // nobody reads it
	signal.Notify(dropped, syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGINT) {
		signal.Notify(dropped, syscall.SIGINT)
		return true
	}
	return false
}
