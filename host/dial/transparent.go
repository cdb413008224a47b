package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// As is d, but for the source of its connections: they come from the client's own address
// (transparent = source), and from its port if that is no privileged one and is free. A
// client's port below 1024 tells old protocols that root is there, which is not for a
// tunnel to say.
func (d *Dialer) As(client netip.AddrPort) *Dialer {
	as := *d
	as.client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
	return &as
}

// firstOpenPort is the lowest one that any user may bind.
const firstOpenPort = 1024

// openAs connects from the client's address.
func (d *Dialer) openAs(ctx context.Context, t Target, log *logging.Logger) (net.Conn, error) {
	to, err := netip.ParseAddrPort(t.Addr)
	if err != nil {
		return nil, err
	}
	if to.Addr().Is4() != d.client.Addr().Is4() {
		return nil, fmt.Errorf("%s is no source of connections to %s", d.client.Addr(), to.Addr())
	}
	if d.client.Port() >= firstOpenPort {
		c, err := d.openFrom(ctx, t, d.client, log)
		// In use: a connection to the same target is there, or the port is bound.
		if !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			return c, err
		}
	}
	return d.openFrom(ctx, t, netip.AddrPortFrom(d.client.Addr(), 0), log)
}

func (d *Dialer) openFrom(ctx context.Context, t Target, source netip.AddrPort, log *logging.Logger) (net.Conn, error) {
	from := d.net
	from.LocalAddr = net.TCPAddrFromAddrPort(source)
	from.Control = func(network, address string, c syscall.RawConn) error {
		if d.net.Control != nil {
			if err := d.net.Control(network, address, c); err != nil {
				return err
			}
		}
		return foreignSource(c, source.Addr().Is6(), log)
	}
	return from.DialContext(ctx, t.Network, t.Addr)
}

// DialTo connects to one address.
func (d *Dialer) DialTo(ctx context.Context, to netip.AddrPort, log *logging.Logger) (net.Conn, error) {
	name := fmt.Sprintf("%s:%d", to.Addr(), to.Port())
	c, err := d.dial(ctx, Target{"tcp", to.String(), name}, log)
	if err != nil {
		log.Errf("No more addresses to connect")
		return nil, fmt.Errorf("%w: %w", ErrNoTarget, err)
	}
	return c, nil
}
