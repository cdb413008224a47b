package service

import (
	"context"
	"errors"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
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

// stuckTime bounds Stop's wait for connections that were cut. They end at once, but where
// one is in a call of a PKCS#11 module, which nothing can interrupt. It is more than the 30 s
// that a handshake may wait for a token, and less than the 90 s after which systemd kills.
const stuckTime = time.Minute

// ErrBind is Apply's error when a service could not be bound; the log says why.
var ErrBind = errors.New("a service could not be bound")

// A Server runs the services of one Set, and owns their listeners and
// connections. Make it with NewServer.
type Server struct {
	// Given are sockets that the program was started with. The services that accept take them
	// in place of their own addresses, see assign. Set it before the first Apply.
	Given []Given

	log *logging.Log
	ui  *logging.Logger
	max atomic.Int64 // connections at once

	stderr atomic.Pointer[os.File] // of programs; nil: their connection

	mu        sync.Mutex
	listeners map[string]*listener // by address
	current   *running             // nil before the first Apply
	conns     map[*connection]struct{}
	stopping  bool

	hops hops

	stuckTime time.Duration // the constant, but for tests

	active  atomic.Int64  // connections under way
	nextID  atomic.Uint64 // of names in the log
	nextSeq atomic.Uint64
	wg      sync.WaitGroup // accept loops, standing services and connections
	ctx     context.Context
	cancel  context.CancelFunc
}

// NewServer makes a Server that runs nothing yet.
func NewServer(log *logging.Log) *Server {
	s := &Server{log: log, ui: log.Logger("ui"), listeners: map[string]*listener{}, conns: map[*connection]struct{}{}, stuckTime: stuckTime}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Addrs lists what is bound, sorted, for tests.
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
	defer l.ended.Store(true)
	defer func() { l.svc.Load().set.leave() }()
	pause := time.Duration(0)
	for {
		l.accepted.Store(0)
		c, err := l.Accept()
		l.accepted.Store(time.Now().UnixNano())
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of descriptors or memory: trying at once would only spin.
			pause = min(max(2*pause, acceptPauseMin), acceptPauseMax)
			s.ui.Critf("accept: %s", logging.Reason(err))
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
		// Before the connection's goroutine starts: otherwise a reload could see no
		// user of the Set and free its guests in between.
		b := l.enter()
		s.wg.Add(1)
		go s.serve(b, c)
	}
}

// Serve runs one connection of the first service to its end: inetd has accepted it.
func (s *Server) Serve(c net.Conn) {
	s.mu.Lock()
	run := s.current
	run.enter()
	s.mu.Unlock()
	s.active.Add(1)
	s.wg.Add(1)
	s.serve(&bound{run.set.Services[0], run}, c)
}

// serve runs one connection to its end.
func (s *Server) serve(b *bound, nc net.Conn) {
	defer s.wg.Done()
	defer s.active.Add(-1)
	defer b.set.leave()
	c := newConnection(s, b.svc, nc, s.id(b.svc.conf.LogID, s.nextID.Add(1)-1))
	if !s.track(c) {
		nc.Close()
		return
	}
	defer s.untrack(c)
	defer s.hops.forget(c)
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
// rest, waits for all of them, and frees the Set. A second Stop does nothing.
// After stuckTime it leaves those that do not end, and the Set, which they use, to
// the end of the process.
func (s *Server) Stop(ctx context.Context) {
	s.mu.Lock()
	s.stopping = true
	for key, l := range s.listeners {
		l.Close()
		delete(s.listeners, key)
	}
	if s.current != nil {
		s.current.retire()
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
		cut := len(s.conns)
		if cut > 0 {
			s.ui.Infof("Terminating %d service thread(s)", cut)
		}
		for c := range s.conns {
			c.stop()
		}
		s.mu.Unlock()
		select {
		case <-done:
		case <-time.After(s.stuckTime):
			s.ui.Errf("%d connection(s) do not end: left behind", s.active.Load())
			return
		}
		if cut > 0 {
			s.ui.Infof("Service threads terminated")
		}
	}
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current.leave()
		s.current = nil
	}
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
