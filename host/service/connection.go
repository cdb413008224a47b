package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
	"github.com/stunnel-wasm/stunnel-wasm/host/session"
)

// A connection is one accepted connection on its way through negotiation,
// handshake and relay. It owns its sockets: run closes them.
type connection struct {
	srv *Server
	svc *Service
	seq uint64 // its place among those that are under way
	id  string // in the log
	own bool   // accepted is a program of our own, not a client
	log *logging.Logger

	ctx    context.Context // ends with the server, or by stop
	cancel context.CancelFunc

	mu       sync.Mutex // guards the next three against stop
	accepted *relay.Socket
	outgoing *relay.Socket
	stopped  bool

	tls    tlsConn   // the TLS side, once the handshake is done
	left   [2][]byte // what a guest read ahead, by abi.Side
	notes  []note    // what a guest annotated
	alpn   []string  // of the handshake under way
	denied bool      // by a policy, after the handshake

	session *session.Handshake // of the handshake, where its session matters later; nil: not

	redirected bool // verification failed, and the service has a place for that

	nameRead bool     // the client's name has chosen
	unnamed  error    // why it could not
	served   *Service // the secondary that the client's name chose; nil: svc
	target   string   // that a guest chose; empty: the service's own
	route    string   // that a policy chose among the service's own; it goes before target
	relay    atomic.Pointer[relay.Relay]

	destination    netip.AddrPort // where the client was bound for; see findDestination
	cameBy, wentBy hop            // in the Server's hops

	counters relay.Counters
}

func newConnection(srv *Server, svc *Service, nc net.Conn, id string) *connection {
	c := &connection{srv: srv, svc: svc, seq: srv.nextSeq.Add(1), id: id, accepted: relay.NewSocket(nc)}
	c.log = srv.ui.With(c.id, svc.Name(), svc.level)
	c.ctx, c.cancel = context.WithCancel(srv.ctx)
	return c
}

// stop ends the connection from another goroutine.
func (c *connection) stop() {
	c.cancel()
	if r := c.relay.Load(); r != nil {
		r.Stop() // first: it would take the sockets' ends for failures of its own
	}
	c.mu.Lock()
	c.stopped = true
	c.accepted.Abort()
	if c.outgoing != nil {
		c.outgoing.Abort()
	}
	c.mu.Unlock()
}

// run takes the connection to its end and closes it.
func (c *connection) run() {
	defer c.cancel()
	if c.log.Enabled(logging.Notice) {
		from := ""
		if a := c.accepted.RemoteAddr(); a != nil { // standard input need not have one
			from = " from " + plainAddr(a)
		}
		c.log.Noticef("Service [%s] accepted connection%s", c.svc.Name(), from)
	}
	c.options(c.accepted, c.svc.local)
	if err := c.establishApart(); err != nil {
		c.report(err)
		c.close(err)
		return
	}
	r := &relay.Relay{
		TLS:      c.tls,
		Counters: &c.counters,
		Options:  relay.Options{Idle: c.chosen().conf.TimeoutIdle, Close: c.chosen().conf.TimeoutClose},
	}
	r.Under, r.Plain = c.accepted, c.outgoing
	r.ToPlain, r.ToTLS = c.left[abi.Accepted], c.left[abi.Outgoing]
	if c.svc.conf.Client {
		r.Under, r.Plain = c.outgoing, c.accepted
		r.ToPlain, r.ToTLS = c.left[abi.Outgoing], c.left[abi.Accepted]
	}
	c.left = [2][]byte{}
	c.relay.Store(r)
	if c.ctx.Err() != nil {
		r.Stop() // stop came before it could see the relay
	}
	res := r.Run()
	err := c.judge(&res)
	c.close(err)
}

// options sets socket options on a connected socket. One that fails is told and
// does not end the connection, as in stunnel.
func (c *connection) options(s *relay.Socket, set func(network, address string, c syscall.RawConn) error) {
	if set == nil {
		return
	}
	rc, err := s.SyscallConn()
	if errors.Is(err, errors.ErrUnsupported) || s.LocalAddr() == nil {
		return // a pipe or a terminal
	}
	if err == nil {
		err = set(s.LocalAddr().Network(), "", rc)
	}
	if err != nil {
		c.log.Errf("%v", err)
	}
}

// establishApart runs establish in a goroutine of its own and waits for it. A
// handshake grows its stack to tens of kilobytes, and so does a guest; that stack
// is then free for the next handshake, instead of being held for as long as this
// connection is idle.
func (c *connection) establishApart() error {
	done := make(chan error, 1)
	go func() {
		// A panic of this program, or of crypto/tls, may be a peer's doing. It ends
		// this connection, and not everybody else's with it.
		defer func() {
			if p := recover(); p != nil {
				done <- c.fault(fmt.Sprintf("%v\n%s", p, debug.Stack()))
			}
		}()
		done <- c.establish()
	}()
	return <-done
}

// establish makes both sides ready to relay.
func (c *connection) establish() error {
	if err := c.admit(); err != nil {
		return err
	}
	if err := c.findDestination(); err != nil {
		return &stageError{stageConnect, err}
	}
	err := c.decide(c.ctx, stageAccepted)
	switch {
	case err != nil:
	case c.svc.proto != nil:
		err = c.negotiate(lender{c: c, svc: c.svc})
	case c.svc.conf.Client:
		err = c.connect(c.ctx)
	default:
		err = c.handshake(c.ctx, c.accepted, nil, nil)
	}
	if err == nil && c.handsOver() && c.served.proto != nil && !c.redirected {
		err = c.negotiate(lender{c: c, svc: c.served, within: true})
	}
	if err != nil {
		return err
	}
	// Whatever a guest did: both sides are connected, and the relay never runs with
	// the TLS side in the clear.
	if c.outgoing == nil {
		if err := c.connect(c.ctx); err != nil {
			return err
		}
	}
	if c.tls == nil {
		side := c.tlsSide()
		early := c.left[side]
		c.left[side] = nil
		if err := c.handshake(c.ctx, c.under(), nil, early); err != nil {
			return err
		}
	}
	return nil
}

// dial connects to the service's targets, or to the one that a guest chose, or starts its
// program.
func (c *connection) dial(ctx context.Context) (net.Conn, error) {
	if c.redirected {
		return c.dialDecoy()
	}
	svc := c.chosen()
	if svc.runs() {
		// Whatever a guest chose: the service says where its connections end.
		return c.execute(svc)
	}
	dialer, err := c.from(svc, svc.dialer)
	if err != nil {
		return nil, err
	}
	if c.route != "" {
		if only, ok := dialer.Configured(c.route); ok {
			return only.Dial(ctx, c.log)
		}
		// A policy of the primary chose before the client's name led to a secondary.
		c.log.Errf("target %s is not configured", c.route)
		return nil, errDenied
	}
	switch {
	case c.target != "":
	case svc.conf.Transparent.Destination:
		return c.dialDestination(ctx, dialer)
	default:
		return c.dialKept(ctx, dialer)
	}
	if only, ok := dialer.Configured(c.target); ok && !svc.open {
		return only.Dial(ctx, c.log)
	}
	return dialer.DialChosen(ctx, c.target, &svc.reach, c.log)
}

// connect dials the target.
func (c *connection) connect(ctx context.Context) error {
	if c.denied {
		// A guest that goes on all the same, and asks for a target that a policy would let
		// it dial, as policies do that wait for what the handshake tells.
		return &stageError{stagePolicy, errDenied}
	}
	if !c.redirected {
		if err := c.decide(ctx, stageDialling); err != nil {
			return err
		}
	}
	nc, err := c.dial(ctx)
	if err != nil {
		return &stageError{stageConnect, err}
	}
	s := relay.NewSocket(nc)
	c.options(s, c.chosen().remote)
	c.mu.Lock()
	c.outgoing = s
	stopped := c.stopped
	c.mu.Unlock()
	if stopped {
		return &stageError{stageConnect, context.Canceled}
	}
	if c.log.Enabled(logging.Notice) && (c.redirected || !c.chosen().runs()) {
		c.log.Noticef("Service [%s] connected remote server from %s", c.chosen().Name(), plainAddr(nc.LocalAddr()))
	}
	return nil
}
