// Package scm deals with Windows' service control manager from outside the service: it
// installs, removes, starts, stops and tells it things, as stunnel's arguments of these
// names do. The service's inside is in package daemon.
//
// On other systems every command fails with [ErrElsewhere].
package scm

import (
	"errors"
	"slices"
	"strings"
)

// Name is the service's, and DisplayName and Description are what its users see: as
// stunnel's, so that scripts find it.
const (
	Name        = "stunnel"
	DisplayName = "Stunnel TLS wrapper"
	Description = "TLS offloading and load-balancing proxy"
)

// Argument is what the service is started with, before the configuration file.
const Argument = "-service"

// ErrElsewhere is the error of every command where there is no such manager.
var ErrElsewhere = errors.New("exists on Windows alone: here the system's own service manager does that, such as systemctl")

// Commands are the arguments that act on the service, in the manual's order.
var Commands = []string{"-install", "-uninstall", "-start", "-stop", "-reload", "-reopen", "-exit"}

// A Request is what Windows' arguments ask for.
type Request struct {
	Command string // of Commands, or Argument; empty: to run here
	Quiet   bool   // say nothing when it is done
	File    string // the configuration; empty: the default
}

// Parse reads [COMMAND] [-quiet] [FILE], without case, where a slash may stand for the
// dash if the system has that habit. It is not ok if the first argument is for others.
func Parse(args []string, slash bool) (r Request, ok bool) {
	for i, arg := range args {
		name := strings.ToLower(arg)
		if rest, cut := strings.CutPrefix(name, "/"); cut && slash {
			name = "-" + rest
		}
		switch {
		case name == "-quiet":
			r.Quiet = true
		case name == Argument || slices.Contains(Commands, name):
			r.Command = name
		default:
			r.File = arg
			return r, i > 0
		}
	}
	return r, len(args) > 0
}
