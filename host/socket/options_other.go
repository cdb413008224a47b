//go:build !unix

package socket

import (
	"errors"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

const solSocket = 0

type option struct{ level int }

func lookup(string) (option, bool) { return option{}, false }

func (option) set(uintptr, config.SocketType, string) error { return errors.ErrUnsupported }

func (option) get(int, config.SocketType) string { return "unknown" }

func systemDefault(config.SocketOptionType) string { return "unknown" }
