//go:build unix

package program

import (
	"os"
	"os/signal"
	"syscall"
)

// dropped takes the signals that this process goes on to ignore. Nobody reads it.
var dropped = make(chan os.Signal, 1)

// heedSignals sees to it that SIGHUP and SIGINT have their defaults in what is started next,
// as in stunnel. nohup and shells without job control start a daemon with them ignored. That
// would stay so in a program that it executes, which could then not be told to end; what is
// caught begins afresh there. Go catches whatever else stunnel resets.
func heedSignals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(dropped, s)
		}
	}
}
