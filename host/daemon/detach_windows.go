package daemon

import "errors"

// canDetach says that foreground = no leaves the terminal: a console program of Windows
// stays in its console, and what runs without one is a service.
const canDetach = false

// These belong to daemons with a parent, which there are none of here.

func (d *daemon) detach() (status int, err error) { return 1, errors.ErrUnsupported }
func (d *daemon) inherit()                        {}
func (d *daemon) notifyParent(bool)               {}
func (d *daemon) leaveTerminal()                  {}
