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
	dropPipe()
	signal.Notify(d.signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGINT) {
		signal.Notify(d.signals, syscall.SIGINT)
	}
}

// dropPipe catches and forgets SIGPIPE. It is not ignored: programs that are executed would
// inherit that, and then a pipeline does not end when its reader does.
func dropPipe() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
