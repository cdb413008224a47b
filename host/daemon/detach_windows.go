package daemon

import (
	"errors"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// canDetach says that foreground = no leaves the terminal: a console program of Windows
// stays in its console, and what runs without one is a service.
const canDetach = false

// These belong to daemons with a parent, which there are none of here.

func (d *daemon) detach() (status int, err error) { return 1, errors.ErrUnsupported }
func (d *daemon) inherit()                        {}
func (d *daemon) notifyParent(bool)               {}
func (d *daemon) leaveTerminal()                  {}

// whereLogsGo answers for foreground and syslog, which Windows' configurations lack: a
// service logs to the event log, a program in a console logs there.
func (d *daemon) whereLogsGo(o logging.Options) logging.Options {
	o.Syslog, o.Stderr = d.inService, !d.inService
	return o
}
