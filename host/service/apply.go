package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/fault"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// A listener is a bound address. A reload gives it another service.
type listener struct {
	net.Listener
	at  listenAddr
	key string // in Server.listeners
	svc atomic.Pointer[bound]

	accepted atomic.Int64 // since when the loop is busy with a connection, in Unix ns; 0: it waits for one
	ended    atomic.Bool  // the loop is over
}

// bound is what a listener hands connections to.
type bound struct {
	svc *Service
	set *running
}

// enter gives what a listener hands its next connection to, counted as a user of
// the Set. A reload may free the Set that was just looked up; then there is another.
func (l *listener) enter() *bound {
	for {
		if b := l.svc.Load(); b.set.enter() {
			return b
		}
	}
}

// running counts the users of a Set, so that its guests are freed when the last
// one is gone: the Server while the Set is its current one, the accept loops and
// the connections.
type running struct {
	set   *Set
	mu    sync.Mutex
	users int // 0: freed

	retired chan struct{} // closed when the Set is not the Server's current one any more
	once    sync.Once
}

func newRunning(set *Set) *running {
	return &running{set: set, users: 1, retired: make(chan struct{})}
}

// retire ends what the Set begins by itself.
func (r *running) retire() { r.once.Do(func() { close(r.retired) }) }

// enter counts a user, unless the Set is freed already.
func (r *running) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users == 0 {
		return false
	}
	r.users++
	return true
}

// leave frees the Set after its last user.
func (r *running) leave() {
	r.mu.Lock()
	r.users--
	last := r.users == 0
	r.mu.Unlock()
	if last {
		r.set.Close(context.Background())
	}
}

// A change is an Apply under way: the addresses of the new Set, and what was done
// so far. The Server's lock is held all the time.
type change struct {
	s      *Server
	run    *running
	places []*place // in file order
	wanted map[string]bool
	closed []*listener // old ones that stood in the way of new addresses
}

// A place is one address of a new Set.
type place struct {
	svc  *Service
	at   listenAddr
	key  string
	l    *listener // nil: not bound
	kept bool      // by the old Set already

	given *Given // the socket; nil: one of our own
}

// Apply makes the server run a Set, which it owns from then on. New addresses are
// bound before anything old is touched; if a service gets none, nothing changes and
// the error is ErrBind. Addresses that both Sets have keep their socket. An old
// address that goes, and overlaps a new one that cannot be bound beside it (from
// 127.0.0.1:443 to 0.0.0.0:443), is closed first, and bound again if Apply fails.
func (s *Server) Apply(ctx context.Context, set *Set) error {
	return s.ApplyThen(ctx, set, func() error { return nil })
}

// ApplyThen is Apply with something to do between binding and the first connection, such
// as giving up the right to bind. If that fails, its error is returned and nothing changes.
func (s *Server) ApplyThen(ctx context.Context, set *Set, bound func() error) error {
	c := &change{s: s, run: newRunning(set), wanted: map[string]bool{}}
	// Before the lock: a connection takes it, and must not wait for a name server.
	err := c.plan(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errors.New("the server is stopping")
	}
	if err == nil {
		err = c.bind(ctx)
	}
	if err == nil {
		err = bound()
	}
	if err != nil {
		c.undo(ctx)
		return err
	}
	s.setMax(set.Config.Global.MaxClients)
	c.commit()
	return nil
}

// plan resolves the addresses of all services.
func (c *change) plan(ctx context.Context) error {
	given, wrong := assign(c.s.Given, c.run.set.Services)
	if wrong != "" {
		c.s.ui.Errf("%s", wrong)
		return ErrBind
	}
	for _, svc := range c.run.set.Services {
		for _, g := range given[svc] {
			at := listenAddr{network: givenNetwork, address: strconv.Itoa(g.FD), text: "socket " + strconv.Itoa(g.FD)}
			c.wanted[at.key()] = true
			c.places = append(c.places, &place{svc: svc, at: at, key: at.key(), given: g})
		}
		if given[svc] != nil {
			continue
		}
		for _, a := range svc.conf.Accept {
			addrs, err := listenAddrs(ctx, a)
			if err != nil {
				return fmt.Errorf("service [%s]: accept %s: %w", svc.Name(), a, err)
			}
			for _, at := range addrs {
				key := at.key()
				for n := 0; at.anyPort() && c.wanted[key]; n++ {
					// Port 0 is another port each time. Who asks for it again after a
					// reload gets the ports that were chosen, in the same order.
					key = at.key() + " #" + strconv.Itoa(n)
				}
				if c.wanted[key] {
					c.s.bindError(svc, at, fault.AddressInUse)
					continue
				}
				c.wanted[key] = true
				c.places = append(c.places, &place{svc: svc, at: at, key: key})
			}
		}
	}
	return nil
}

// bind gives each place its listener. Places that old listeners block come last,
// when it is known that everything else can be had.
func (c *change) bind(ctx context.Context) error {
	var blocked []*place
	for _, p := range c.places {
		if old := c.s.listeners[p.key]; old != nil {
			if err := p.svc.setListenOptions(old.Listener); err != nil {
				return err
			}
			if p.svc.conf.Owner != old.svc.Load().svc.conf.Owner {
				p.svc.giveSocket(p.at, c.s.ui)
			}
			c.s.takeTurned(p.svc, old.Listener)
			p.l, p.kept = old, true
			continue
		}
		err := c.listen(ctx, p)
		switch {
		case err == nil:
		case fault.Is(err, syscall.EADDRINUSE) && len(c.blocking(p.at)) > 0:
			blocked = append(blocked, p)
		default:
			c.s.bindError(p.svc, p.at, err)
		}
	}
	if err := c.complete(blocked); err != nil {
		return err
	}
	for _, p := range blocked {
		for _, old := range c.blocking(p.at) {
			old.Close()
			delete(c.s.listeners, old.key)
			c.closed = append(c.closed, old)
		}
		if err := c.listen(ctx, p); err != nil {
			c.s.bindError(p.svc, p.at, err)
		}
	}
	return c.complete(nil)
}

func (c *change) listen(ctx context.Context, p *place) error {
	ln, err := p.open(ctx)
	if err != nil {
		return err
	}
	p.svc.giveSocket(p.at, c.s.ui)
	c.s.takeTurned(p.svc, ln)
	c.s.ui.Infof("Service [%s] (FD=%d) bound to %s", p.svc.Name(), descriptor(ln), printed(ln.Addr(), p.at))
	p.l = &listener{Listener: ln, at: p.at, key: p.key}
	return nil
}

// open binds the place's address, or takes its given socket.
func (p *place) open(ctx context.Context) (net.Listener, error) {
	if p.given == nil {
		return p.svc.listen(ctx, p.at)
	}
	ln, err := p.given.Listen()
	if err != nil {
		return nil, err
	}
	p.at.text = plainAddr(ln.Addr())
	if err := p.svc.setListenOptions(ln); err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

// blocking lists the listeners that go with the old Set and overlap an address.
func (c *change) blocking(at listenAddr) []*listener {
	var all []*listener
	for key, l := range c.s.listeners {
		if !c.wanted[key] && overlap(l.at, at) {
			all = append(all, l)
		}
	}
	return all
}

// complete says whether each service that accepts has an address, or may still
// get one of those that are pending.
func (c *change) complete(pending []*place) error {
	for _, svc := range c.run.set.Services {
		some := len(svc.conf.Accept) == 0 // a secondary, or inetd has accepted
		for _, p := range c.places {
			some = some || p.svc == svc && p.l != nil
		}
		for _, p := range pending {
			some = some || p.svc == svc
		}
		if !some {
			c.s.ui.Errf("Binding service [%s] failed", svc.Name())
			return ErrBind
		}
	}
	return nil
}

// undo closes what was bound and binds again what was closed.
func (c *change) undo(ctx context.Context) {
	for _, p := range c.places {
		if p.l != nil && !p.kept {
			p.l.Close()
		}
	}
	for _, old := range c.closed {
		b := old.svc.Load()
		at := old.at
		at.address = old.Addr().String() // port 0 has become a real one
		ln, err := b.svc.listen(ctx, at)
		if err != nil {
			c.s.bindError(b.svc, at, err)
			continue
		}
		l := &listener{Listener: ln, at: old.at, key: old.key}
		l.svc.Store(&bound{b.svc, c.s.current})
		c.s.start(l)
	}
}

// commit makes the new Set the current one.
func (c *change) commit() {
	s := c.s
	for key, l := range s.listeners {
		if !c.wanted[key] {
			s.ui.Debugf("Service [%s] closed", l.svc.Load().svc.Name())
			l.Close()
			delete(s.listeners, key)
		}
	}
	for _, p := range c.places {
		b := &bound{p.svc, c.run}
		switch {
		case p.l == nil:
		case p.kept:
			c.run.enter()
			p.l.svc.Swap(b).set.leave()
		default:
			p.l.svc.Store(b)
			s.start(p.l)
		}
	}
	old := s.current
	s.current = c.run
	s.stderr.Store(stderrOf(c.run.set.Config))
	s.startStanding(c.run)
	c.run.set.startStapling(s.log.Logger(cronID))
	if old != nil {
		old.retire()
		old.set.stopStapling()
		old.leave()
	}
}

// start runs a listener's accept loop, which is a user of its Set.
func (s *Server) start(l *listener) {
	l.svc.Load().set.enter()
	s.listeners[l.key] = l
	s.wg.Add(1)
	go s.acceptLoop(l)
}

// overlap says whether two addresses cannot be bound at the same time: the same
// port, and one address or a wildcard that covers the other's.
func overlap(a, b listenAddr) bool {
	x, err := netip.ParseAddrPort(a.address)
	if err != nil {
		return false // a Unix socket
	}
	y, err := netip.ParseAddrPort(b.address)
	if err != nil || x.Port() != y.Port() {
		return false
	}
	return x.Addr() == y.Addr() || covers(a.network, x.Addr(), y.Addr()) || covers(b.network, y.Addr(), x.Addr())
}

// covers says whether a bound address takes another one's connections. A wildcard of IPv6
// takes those of IPv4 too, unless its network is "tcp6".
func covers(network string, x, y netip.Addr) bool {
	return x.IsUnspecified() && (x.Is4() == y.Is4() || x.Is6() && network != "tcp6")
}

// bindError tells why an address was not bound, as stunnel words it.
func (s *Server) bindError(svc *Service, addr listenAddr, err error) {
	s.ui.Noticef("Binding service [%s] to %s: %s", svc.Name(), addr, logging.Reason(err))
}
