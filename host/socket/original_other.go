//go:build !linux

package socket

import (
	"errors"
	"net/netip"
	"syscall"
)

// OriginalDestination is Linux's; package config refuses transparent elsewhere.
func OriginalDestination(syscall.RawConn) (netip.AddrPort, error) {
	return netip.AddrPort{}, errors.ErrUnsupported
}

// SetTransparent is Linux's too.
func SetTransparent(syscall.RawConn) error { return errors.ErrUnsupported }
