//go:build unix

package daemon

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// caught holds signals until loop has time for them: one of a kind is enough, and
// there are six.
const caught = 16

// catch starts to take signals. SIGINT stays ignored if it was at start, as a
// script's background jobs expect; whether SIGQUIT and SIGTERM were, as stunnel asks
// too, Go's runtime hides by taking them first. The others are taken in any case, for
// nohup ignores the one that reloads. SIGPIPE never ends the daemon: standard error
// may be a pipe whose reader left.
func (d *daemon) catch() {
	d.signals = make(chan os.Signal, caught)
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(d.signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGINT) {
		signal.Notify(d.signals, syscall.SIGINT)
	}
}

// loop serves signals until one ends the daemon. A second one cuts short the
// grace that the first gave.
func (d *daemon) loop() {
	for s := range d.signals {
		switch s {
		case syscall.SIGHUP:
			d.reload()
		case syscall.SIGUSR1:
			d.log.Reopen() // it logs what happened
		case syscall.SIGUSR2:
			d.server.List()
		case syscall.SIGTERM:
			d.ui.Noticef("Terminated")
			d.end()
			return
		case syscall.SIGINT:
			d.ui.Errf("Received SIGINT; terminating")
			d.end()
			return
		case syscall.SIGQUIT:
			d.ui.Errf("Received SIGQUIT; terminating")
			d.end()
			return
		}
	}
}

func (d *daemon) end() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer cancel()
		for {
			select {
			case s := <-d.signals:
				if s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGQUIT {
					return
				}
			case <-done:
				return
			}
		}
	}()
	d.stop(ctx)
	close(done)
	<-ctx.Done() // the goroutine has ended
}
