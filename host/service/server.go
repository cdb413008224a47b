package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// Bounds of the pause after an accept that failed for want of descriptors or
// memory: it doubles between them.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// ErrBind is Apply's error when a service could not be bound; the log says why.
var ErrBind = errors.New("a service could not be bound")

// A Server runs the services of one Set, and owns their listeners and
// connections. Make it with NewServer.
type Server struct {
	log *logging.Log
	ui  *logging.Logger
	max atomic.Int64 // connections at once

	mu        sync.Mutex
	listeners map[string]*listener // by address
	conns     map[*connection]struct{}
	stopping  bool

	active atomic.Int64 // connections under way
	nextID atomic.Uint64
	wg     sync.WaitGroup // accept loops and connections
	ctx    context.Context
	cancel context.CancelFunc
}

// NewServer makes a Server that runs nothing yet.
func NewServer(log *logging.Log) *Server {
	s := &Server{log: log, ui: log.Logger("ui"), listeners: map[string]*listener{}, conns: map[*connection]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// A listener is a bound address. A reload gives it another service.
type listener struct {
	net.Listener
	addr string
	svc  atomic.Pointer[bound]
}

// bound is what a listener hands connections to.
type bound struct {
	svc *Service
	set *running
}

// running counts the connections that use a Set, so that its guests are freed
// when the last one ends.
type running struct {
	set  *Set
	wg   sync.WaitGroup
	once sync.Once
}

// retire frees a Set once nothing uses it.
func (r *running) retire() {
	r.once.Do(func() {
		go func() {
			r.wg.Wait()
			r.set.Close(context.Background())
		}()
	})
}

// Apply makes the server run a Set. New addresses are bound before anything old
// is touched; if one cannot be, nothing changes and the error says why. Addresses
// that both have keep their socket. The Server owns the Set from then on.
func (s *Server) Apply(ctx context.Context, set *Set) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errors.New("the server is stopping")
	}
	run := &running{set: set}
	type plan struct {
		l   *listener
		svc *Service
		new bool
	}
	plans := map[string]plan{}
	taken := func(key string) bool {
		_, ok := plans[key]
		return ok
	}
	undo := func() {
		for _, p := range plans {
			if p.new {
				p.l.Close()
			}
		}
	}
	for _, svc := range set.Services {
		some := len(svc.conf.Accept) == 0
		for _, a := range svc.conf.Accept {
			addrs, err := listenAddrs(ctx, a)
			if err != nil {
				undo()
				return fmt.Errorf("service [%s]: accept %s: %w", svc.Name(), a, err)
			}
			for _, addr := range addrs {
				key := addr.key()
				for n := 0; addr.anyPort() && taken(key); n++ {
					// Port 0 is another port each time. Who asks for it again after a
					// reload gets the ports that were chosen, in the same order.
					key = addr.key() + " #" + strconv.Itoa(n)
				}
				if taken(key) {
					s.ui.Noticef("Binding service [%s] to %s: Address already in use (%d)", svc.Name(), addr, int(syscall.EADDRINUSE))
					continue
				}
				if old := s.listeners[key]; old != nil {
					if err := svc.setListenOptions(old.Listener); err != nil {
						undo()
						return err
					}
					plans[key] = plan{l: old, svc: svc}
					some = true
					continue
				}
				ln, err := svc.listen(ctx, addr)
				if err != nil {
					s.bindError(svc, addr, err)
					continue
				}
				s.ui.Infof("Service [%s] (FD=%d) bound to %s", svc.Name(), descriptor(ln), printed(ln.Addr(), addr))
				plans[key] = plan{l: &listener{Listener: ln, addr: key}, svc: svc, new: true}
				some = true
			}
		}
		if !some {
			undo()
			s.ui.Errf("Binding service [%s] failed", svc.Name())
			return ErrBind
		}
	}
	s.setMax(set.Config.Global.MaxClients)
	retired := map[*running]bool{}
	for key, l := range s.listeners {
		retired[l.svc.Load().set] = true
		if _, kept := plans[key]; !kept {
			s.ui.Debugf("Service [%s] closed", l.svc.Load().svc.Name())
			l.Close()
			delete(s.listeners, key)
		}
	}
	for key, p := range plans {
		p.l.svc.Store(&bound{p.svc, run})
		if p.new {
			s.listeners[key] = p.l
			s.wg.Add(1)
			go s.acceptLoop(p.l)
		}
	}
	for r := range retired {
		r.retire()
	}
	return nil
}

// bindError tells why an address was not bound, as stunnel words it.
func (s *Server) bindError(svc *Service, addr listenAddr, err error) {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		s.ui.Noticef("Binding service [%s] to %s: %s (%d)", svc.Name(), addr, sentence(errno.Error()), int(errno))
		return
	}
	s.ui.Noticef("Binding service [%s] to %s: %v", svc.Name(), addr, err)
}

// Addrs lists what is bound, sorted, for tests and for the check command.
func (s *Server) Addrs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, l := range s.listeners {
		out = append(out, l.svc.Load().svc.Name()+" "+l.Addr().String())
	}
	sort.Strings(out)
	return out
}

// acceptLoop accepts until the listener is closed.
func (s *Server) acceptLoop(l *listener) {
	defer s.wg.Done()
	pause := time.Duration(0)
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of descriptors or memory: trying at once would only spin.
			pause = min(max(2*pause, acceptPauseMin), acceptPauseMax)
			var errno syscall.Errno
			if errors.As(err, &errno) {
				s.ui.Critf("accept: %s (%d)", sentence(errno.Error()), int(errno))
			} else {
				s.ui.Critf("accept: %v", err)
			}
			select {
			case <-time.After(pause):
				continue
			case <-s.ctx.Done():
				return
			}
		}
		pause = 0
		if n, limit := s.active.Add(1), s.max.Load(); n > limit {
			s.active.Add(-1)
			s.ui.Warnf("Connection rejected: too many clients (>=%d)", limit)
			c.Close()
			continue
		}
		b := l.svc.Load()
		// Before the connection's goroutine starts: otherwise a reload could see no
		// user of the Set and free its guests in between.
		b.set.wg.Add(1)
		s.wg.Add(1)
		go s.serve(b, c)
	}
}

// serve runs one connection to its end.
func (s *Server) serve(b *bound, nc net.Conn) {
	defer s.wg.Done()
	defer s.active.Add(-1)
	defer b.set.wg.Done()
	c := newConnection(s, b.svc, nc)
	if !s.track(c) {
		nc.Close()
		return
	}
	defer s.untrack(c)
	c.run()
}

func (s *Server) track(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) untrack(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// List logs the active connections (SIGUSR2).
func (s *Server) List() {
	s.mu.Lock()
	all := make([]*connection, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	sort.Slice(all, func(i, j int) bool { return all[i].seq < all[j].seq })
	s.ui.Emergf("Active connections:")
	for i, c := range all {
		s.ui.Emergf("Active connection %d: Service [%s], %d byte(s) sent to TLS, %d byte(s) sent to socket",
			i+1, c.svc.Name(), c.counters.ToTLS.Load(), c.counters.ToSocket.Load())
	}
	s.ui.Emergf("Listed %d active connection(s)", len(all))
}

// Stop closes the listeners, lets connections go on until ctx ends, cuts the
// rest, and waits for all of them.
func (s *Server) Stop(ctx context.Context) {
	s.mu.Lock()
	s.stopping = true
	for key, l := range s.listeners {
		l.Close()
		delete(s.listeners, key)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.cancel()
		s.mu.Lock()
		s.ui.Infof("Terminating %d service thread(s)", len(s.conns))
		for c := range s.conns {
			c.stop()
		}
		s.mu.Unlock()
		<-done
	}
	s.cancel()
}

// setMax takes the limit of connections from the config, or as stunnel does from
// the descriptors that the process may have: 125/256 of them, since a connection
// needs two and the daemon some.
func (s *Server) setMax(configured int) {
	limit := int64(configured)
	if limit == 0 {
		limit = descriptorLimit() * 125 / 256
	}
	if s.max.Swap(limit) != limit {
		s.ui.Debugf("Clients allowed=%d", limit)
	}
}

// id makes a connection's name for the log.
func (s *Server) id(kind config.LogID, seq uint64) string {
	switch kind {
	case config.LogUnique:
		return logging.NewID()
	case config.LogProcess:
		return strconv.Itoa(os.Getpid())
	}
	return strconv.FormatUint(seq, 10)
}
