package service

import (
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/socket"
)

// setOptions applies socket options; the first that fails ends it.
func setOptions(network string, c syscall.RawConn, opts []config.SocketOption) error {
	for _, o := range opts {
		if err := socket.Set(network, c, o.Name, o.Value); err != nil {
			return o.Place.Errorf("%v", err)
		}
	}
	return nil
}
