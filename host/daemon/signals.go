package daemon

import (
	"context"
	"os"
	"slices"
	"syscall"
)

// caught holds signals until loop has time for them: one of a kind is enough, and
// there are six.
const caught = 16

// loop serves signals until one ends the daemon.
func (d *daemon) loop() {
	for s := range d.signals {
		switch {
		case ends(s):
			d.end(s)
			return
		case s == syscall.SIGHUP:
			if s := d.reloadUnlessEnded(); s != nil {
				d.end(s)
				return
			}
		case s == reopenSignal:
			d.log.Reopen() // it logs what happened
		case s == listSignal:
			d.server.List()
		}
	}
}

func ends(s os.Signal) bool {
	return s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGQUIT
}

// reloadUnlessEnded reloads, and gives it up when a signal comes that ends the
// daemon, which it returns: a reload may wait long for a name server. Signals of
// other kinds wait for it.
func (d *daemon) reloadUnlessEnded() (end os.Signal) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.reload(ctx)
	}()
	var later []os.Signal
	for end == nil {
		select {
		case <-done:
			for _, s := range later {
				select {
				case d.signals <- s:
				default: // as many of its kind as can wait are there
				}
			}
			return nil
		case s := <-d.signals:
			if ends(s) {
				end = s
			} else if !slices.Contains(later, s) {
				later = append(later, s)
			}
		}
	}
	cancel()
	<-done
	return end
}

// end ends the daemon. A second signal cuts short the grace that the first gave.
func (d *daemon) end(s os.Signal) {
	switch s {
	case syscall.SIGTERM:
		d.ui.Noticef("Terminated")
	case syscall.SIGINT:
		d.ui.Errf("Received SIGINT; terminating")
	case syscall.SIGQUIT:
		d.ui.Errf("Received SIGQUIT; terminating")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer cancel()
		for {
			select {
			case s := <-d.signals:
				if ends(s) {
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
