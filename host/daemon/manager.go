package daemon

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
	"github.com/stunnel-wasm/stunnel-wasm/host/systemd"
)

// meetManager takes over what a service manager has said.
func (d *daemon) meetManager() (err error) {
	take := systemd.Take
	if d.ready != nil {
		take = systemd.Inherit
	}
	d.manager, err = take()
	return err
}

// given are the manager's sockets.
func (d *daemon) given() []service.Given {
	var all []service.Given
	for _, s := range d.manager.Sockets {
		d.ui.Debugf("Listening file descriptor received from systemd (FD=%d)", s.FD)
		all = append(all, service.Given{FD: s.FD, Name: s.Name, Listen: s.Listen})
	}
	return all
}

// tell notifies the manager. A daemon serves without being heard.
func (d *daemon) tell(assignments ...string) {
	if err := d.manager.Notify(assignments...); err != nil {
		d.ui.Warnf("%v", err)
	}
}

// running is what the manager shows of a daemon that serves.
func running(c *config.Config) string {
	return fmt.Sprintf("Accepting new connections (services: %d)", len(c.Services))
}

// begunManaged tells the manager that the daemon serves, unless a parent does: only whom it
// has started itself is it sure to listen to.
func (d *daemon) begunManaged(inBackground bool) {
	if !inBackground {
		d.tell(systemd.Ready, systemd.Status(running(d.conf)))
	}
	d.watch(!inBackground)
}

// presentChild tells the manager that from now on the daemon is another process. It waits
// until it was heard: of a process that has ended the manager does not know whose it was.
func (d *daemon) presentChild(pid int) {
	d.tell(systemd.Ready, fmt.Sprintf("MAINPID=%d", pid), systemd.Status(running(d.conf)))
	if err := d.manager.Barrier(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		d.ui.Warnf("%v", err) // an older manager knows no barriers, and lets it time out
	}
}

// watch answers the watchdog for as long as the accept loops run, twice in each of its
// turns as sd_watchdog_enabled(3) advises. A server that is stuck stays silent, and is
// started anew by the manager. The first answer may have to wait: until the parent has
// presented this process, the manager complains about what a stranger says.
func (d *daemon) watch(atOnce bool) {
	turn := d.manager.Watchdog
	if turn == 0 {
		return
	}
	d.ui.Infof("Answering the watchdog of the service manager: %v", turn)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(turn / 2)
		defer tick.Stop()
		for {
			if atOnce && d.server.Alive(turn) {
				d.manager.Alive() // said once more at the next turn
			}
			atOnce = true
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	}()
	d.watchdog = func() {
		close(end)
		<-ended
	}
}
