//go:build !linux

package dial

import (
	"errors"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// foreignSource is Linux's; package config refuses transparent elsewhere.
func foreignSource(syscall.RawConn, bool, *logging.Logger) error { return errors.ErrUnsupported }
