package service

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/dial"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/socket"
)

// errLoop is the error of a connection that would lead to this program again.
var errLoop = errors.New("the connection leads back here")

// findDestination sees where the client was bound for before a firewall turned it here, for
// the service or one that its name may choose. A destination that the program itself
// listens at is refused: without a rule of the firewall the destination is the listener, so that
// one connection from anybody who reaches the port would be connected with itself for
// ever, until no descriptor is left.
func (c *connection) findDestination() error {
	if !c.svc.turned() {
		return nil
	}
	local, remote, ok := c.ends()
	if !ok {
		return errors.New("transparent = destination: a Unix socket has no destination")
	}
	c.destination = local // TPROXY gives the socket the address that it stands for
	var firewall netip.AddrPort
	rc, err := c.accepted.SyscallConn()
	if err == nil {
		firewall, err = socket.OriginalDestination(rc)
	}
	if err == nil {
		c.destination = firewall
	} else if c.log.Enabled(logging.Debug) {
		c.log.Debugf("%s", logging.Reason(err))
	}
	if c.srv.listensAt(c.destination) {
		c.log.Errf("transparent = destination: %s is this program's own: no firewall rule has turned the connection here", plainAddr(c.accepted.LocalAddr()))
		return errLoop
	}
	if c.srv.hops.came(c, hop{remote, c.destination}) {
		c.log.Errf("transparent = destination: the connection from %s is this program's own, which a firewall rule turns back here", plainAddr(c.accepted.RemoteAddr()))
		return errLoop
	}
	return nil
}

// turned tells whether connections to the service have a destination of their own.
func (s *Service) turned() bool {
	for _, n := range s.named {
		if n.conf.Transparent.Destination {
			return true
		}
	}
	return s.conf.Transparent.Destination
}

// from gives a dialer of a service the client's address where the service asks for it.
func (c *connection) from(svc *Service, d *dial.Dialer) (*dial.Dialer, error) {
	if !svc.conf.Transparent.Source {
		return d, nil
	}
	_, remote, ok := c.ends()
	if !ok {
		// With another source the target might trust whom it should not.
		return nil, errors.New("transparent = source: a client of a Unix socket has no address")
	}
	return d.As(remote), nil
}

// dialDestination connects where the client was bound for. Who is behind it chose it, by
// means of the firewall's rule, so that it is the rule that says what may be chosen, and not
// guestDial; policies have been asked.
func (c *connection) dialDestination(ctx context.Context, d *dial.Dialer) (net.Conn, error) {
	nc, err := d.DialTo(ctx, c.destination, c.log)
	if err != nil {
		return nil, err
	}
	if local, ok := nc.LocalAddr().(*net.TCPAddr); ok && c.srv.hops.went(c, hop{local.AddrPort(), c.destination}) {
		nc.Close()
		c.log.Errf("transparent = destination: a firewall rule turns this program's own connection to %s back here", c.destination)
		return nil, errLoop
	}
	return nc, nil
}

// listensAt tells whether a listener of ours is what a connection to an address gets to.
func (s *Server) listensAt(a netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		tcp, ok := l.Addr().(*net.TCPAddr)
		if !ok || tcp.AddrPort().Port() != a.Port() {
			continue
		}
		at := tcp.AddrPort().Addr().Unmap()
		if at == a.Addr() || at.IsUnspecified() && (!at.Is4() || a.Addr().Is4()) && dial.IsOwn(a.Addr()) {
			return true
		}
	}
	return false
}

// A hop is a connection by its two ends.
type hop struct{ from, to netip.AddrPort }

// hops are the connections that came to services with transparent = destination, and those
// that went from there, by who has them. One that went from one and came to another is a
// loop. Both are noted under one lock, so that whichever is noted last sees it: the
// kernel may deliver a connection before the call that makes it has returned.
type hops struct {
	sync.Mutex
	in, out map[hop]*connection
}

// came notes a connection that was accepted, and went one that was made; both tell whether
// it is a loop.
func (h *hops) came(c *connection, at hop) (loop bool) {
	h.Lock()
	defer h.Unlock()
	if h.in == nil {
		h.in, h.out = map[hop]*connection{}, map[hop]*connection{}
	}
	h.in[at], c.cameBy = c, at
	other := h.out[at]
	return other != nil && other != c
}

func (h *hops) went(c *connection, at hop) (loop bool) {
	h.Lock()
	defer h.Unlock()
	at.from = netip.AddrPortFrom(at.from.Addr().Unmap(), at.from.Port())
	h.out[at], c.wentBy = c, at
	other := h.in[at]
	return other != nil && other != c
}

// forget takes a connection that has ended out.
func (h *hops) forget(c *connection) {
	if c.cameBy == (hop{}) {
		return
	}
	h.Lock()
	defer h.Unlock()
	if h.in[c.cameBy] == c {
		delete(h.in, c.cameBy)
	}
	if h.out[c.wentBy] == c {
		delete(h.out, c.wentBy)
	}
}

// takeTurned lets a listener have connections to any address, for rules with TPROXY. Those
// with REDIRECT do not need it, so that it may fail.
func (s *Server) takeTurned(svc *Service, ln net.Listener) {
	sc, ok := ln.(syscall.Conn)
	if _, tcp := ln.Addr().(*net.TCPAddr); !ok || !tcp || !svc.turned() {
		return
	}
	rc, err := sc.SyscallConn()
	if err == nil {
		err = socket.SetTransparent(rc)
	}
	if err != nil {
		s.ui.Infof("Service [%s]: %s: connections by REDIRECT come here, those by TPROXY do not", svc.Name(), logging.Reason(err))
	}
}
