//go:build !unix

package systemd

import (
	"errors"
	"net"
)

type notifier struct{}

func (*notifier) open(string)       {}
func (*notifier) send(string) error { return nil }

func closeOnExec(int, bool) error { return errors.ErrUnsupported }

func reloading() []string { return []string{"RELOADING=1"} }

// Listen has no sockets to give here.
func (Socket) Listen() (net.Listener, error) { return nil, errors.ErrUnsupported }

// Barrier waits for nothing here.
func (*Manager) Barrier() error { return nil }
