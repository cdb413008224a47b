package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// ErrDenied is the error for a target that guestDial does not allow.
var ErrDenied = errors.New("guestDial does not allow it")

// DialChosen connects to a target that a guest chose, "host:port", within r. A name is
// looked up once, and only addresses that were checked are dialled: asked twice, a name
// server could answer the check with one address and the dial with another.
func (d *Dialer) DialChosen(ctx context.Context, target string, r *Reach, log *logging.Logger) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err == nil && port == 0 {
		err = errors.New("port 0") // which means any port to ResolveChosen
	}
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", target, err)
	}
	addrs, err := d.ResolveChosen(ctx, host, uint16(port), r, log)
	if err != nil {
		return nil, err
	}
	var last error
	for _, a := range addrs {
		c, err := d.dial(ctx, Target{"tcp", netip.AddrPortFrom(a, uint16(port)).String(), a.String() + ":" + portText}, log)
		if err == nil {
			err = r.checkDialled(host, uint16(port), c)
		}
		if err == nil {
			return c, nil
		}
		if last = err; ctx.Err() != nil {
			break
		}
	}
	log.Errf("No more addresses to connect")
	return nil, fmt.Errorf("%w: %w", ErrNoTarget, last)
}

// checkDialled refuses, and closes, a connection of this machine with itself, which no
// list of addresses foretold: a route can make any address local.
func (r *Reach) checkDialled(host string, port uint16, c net.Conn) error {
	local, ok1 := c.LocalAddr().(*net.TCPAddr)
	remote, ok2 := c.RemoteAddr().(*net.TCPAddr)
	if !ok1 || !ok2 || !local.IP.Equal(remote.IP) {
		return nil
	}
	// Only a rule that names the address allows it now.
	own := Reach{Rules: r.Rules, Own: func() []netip.Addr { return []netip.Addr{remote.AddrPort().Addr().Unmap()} }}
	if own.Allows(host, remote.AddrPort().Addr(), port) {
		return nil
	}
	return errors.Join(fmt.Errorf("%s: %w", remote, ErrDenied), c.Close())
}

// maxChosen is how many addresses of one name are tried: who owns the name chooses
// their number, and each may take TIMEOUTconnect and writes lines into the log.
const maxChosen = 16

// ResolveChosen gives the addresses of a host that r allows a guest to reach on a port,
// 0 for any. None of several that is allowed is ErrDenied.
func (d *Dialer) ResolveChosen(ctx context.Context, host string, port uint16, r *Reach, log *logging.Logger) ([]netip.Addr, error) {
	// A look-up tells the name to its owner, so that none is done in vain.
	if host == "" || !r.mayAllow(host, port) {
		log.Warnf("target %s port %d: guestDial does not allow it", host, port)
		return nil, fmt.Errorf("target %s: %w", host, ErrDenied)
	}
	lookupCtx, cancel := context.WithTimeout(ctx, d.timeout)
	all, err := lookup(lookupCtx, host)
	cancel()
	if err != nil {
		log.Errf("%s", unresolved(err))
		return nil, err
	}
	var allowed []netip.Addr
	for _, a := range all[:min(len(all), maxChosen)] {
		switch {
		case r.Allows(host, a, port):
			allowed = append(allowed, a)
		case r.local(a.Unmap().WithZone("")):
			log.Warnf("target %s (%s) port %d: guestDial does not allow it: this machine and its links take a rule with the address", host, a, port)
		default:
			log.Warnf("target %s (%s) port %d: guestDial does not allow it", host, a, port)
		}
	}
	if len(allowed) == 0 {
		return nil, fmt.Errorf("target %s: %w", host, ErrDenied)
	}
	return allowed, nil
}
