//go:build unix

package testpeer

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// HearHangup catches SIGHUP until the test ends, so that the programs it starts begin with
// the signal's default. Under nohup they would ignore it, as everything started from there.
func HearHangup(t testing.TB) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
}
