package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
)

// A connection is one accepted connection on its way through negotiation,
// handshake and relay. It owns its sockets: run closes them.
type connection struct {
	srv *Server
	svc *Service
	seq uint64
	log *logging.Logger

	ctx    context.Context // ends with the server, or by stop
	cancel context.CancelFunc

	mu       sync.Mutex // guards the next two against stop
	accepted *relay.Socket
	outgoing *relay.Socket
	stopped  bool

	tls      *tls.Conn // the TLS side, once the handshake is done
	left     [2][]byte // what a guest read ahead, by abi.Side
	notes    []note    // what a guest annotated
	relay    atomic.Pointer[relay.Relay]
	counters relay.Counters
}

func newConnection(srv *Server, svc *Service, nc net.Conn) *connection {
	seq := srv.nextID.Add(1) - 1
	c := &connection{srv: srv, svc: svc, seq: seq, accepted: relay.NewSocket(nc)}
	c.log = srv.ui.With(srv.id(svc.conf.LogID, seq), svc.Name(), svc.level)
	c.ctx, c.cancel = context.WithCancel(srv.ctx)
	return c
}

// stop ends the connection from another goroutine.
func (c *connection) stop() {
	c.cancel()
	c.mu.Lock()
	c.stopped = true
	c.accepted.Abort()
	if c.outgoing != nil {
		c.outgoing.Abort()
	}
	c.mu.Unlock()
	if r := c.relay.Load(); r != nil {
		r.Stop()
	}
}

// run takes the connection to its end and closes it.
func (c *connection) run() {
	defer c.cancel()
	if c.log.Enabled(logging.Notice) {
		c.log.Noticef("Service [%s] accepted connection from %s", c.svc.Name(), plainAddr(c.accepted.RemoteAddr()))
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
		Options:  relay.Options{Idle: c.svc.conf.TimeoutIdle, Close: c.svc.conf.TimeoutClose},
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

// errFault is the error of a connection that a fault of this program ended.
var errFault = errors.New("internal error")

// fault logs a panic with its stack, a line each.
func (c *connection) fault(text string) error {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		c.log.Critf("INTERNAL ERROR: %s", line)
	}
	return &stageError{stageRelay, errFault}
}

// establish makes both sides ready to relay.
func (c *connection) establish() error {
	var err error
	switch {
	case c.svc.proto != nil:
		err = c.negotiate()
	case c.svc.conf.Client:
		err = c.connect(c.ctx)
	default:
		err = c.handshake(c.accepted, nil)
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
		if err := c.handshake(c.under(), early); err != nil {
			return err
		}
	}
	return nil
}

// tlsSide is the side that the service encrypts.
func (c *connection) tlsSide() abi.Side {
	if c.svc.conf.Client {
		return abi.Outgoing
	}
	return abi.Accepted
}

// under is the socket below TLS.
func (c *connection) under() *relay.Socket {
	if c.svc.conf.Client {
		return c.outgoing
	}
	return c.accepted
}

// connect dials the target.
func (c *connection) connect(ctx context.Context) error {
	nc, err := c.svc.dialer.Dial(ctx, c.log)
	if err != nil {
		return &stageError{stageConnect, err}
	}
	s := relay.NewSocket(nc)
	c.options(s, c.svc.remote)
	c.mu.Lock()
	c.outgoing = s
	stopped := c.stopped
	c.mu.Unlock()
	if stopped {
		return &stageError{stageConnect, context.Canceled}
	}
	if c.log.Enabled(logging.Notice) {
		c.log.Noticef("Service [%s] connected remote server from %s", c.svc.Name(), plainAddr(nc.LocalAddr()))
	}
	return nil
}

// handshake does TLS on a socket, within TIMEOUTbusy. Early was received already.
func (c *connection) handshake(s *relay.Socket, early []byte) error {
	client := c.svc.conf.Client
	if err := s.Unread(early); err != nil {
		return &stageError{stageTLS, err}
	}
	s.Frame()
	var t *tls.Conn
	if client {
		c.logSNI()
		t = tls.Client(s, c.svc.tlsConfig())
	} else {
		t = tls.Server(s, c.svc.tlsConfig())
	}
	c.deadline(s, time.Now().Add(c.svc.conf.TimeoutBusy))
	if err := t.Handshake(); err != nil {
		return &stageError{stageTLS, told(err, s.ClearAlert())}
	}
	c.deadline(s, time.Time{})
	c.tls = t
	c.logHandshake(t.ConnectionState())
	return nil
}

// told puts the peer's unencrypted alert in place of what crypto/tls makes of it.
func told(err error, alert byte) error {
	var op *net.OpError
	if alert == 0 || !errors.As(err, &op) || op.Op != "local error" {
		return err
	}
	// As crypto/tls words an alert that it can decrypt.
	return &net.OpError{Op: "remote error", Err: errors.New(tls.AlertError(alert).Error())}
}

// deadline sets a socket's deadline. After stop it is the past: a guest's end takes
// its own deadlines off the sockets, and stop's with them.
func (c *connection) deadline(s *relay.Socket, t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		s.Abort()
		return
	}
	s.SetDeadline(t)
}

// A stageError says at what stage a connection failed.
type stageError struct {
	stage stage
	err   error
}

type stage int

const (
	stageConnect stage = iota // logged where it happened
	stageTLS
	stageGuest
	stageRelay
)

func (e *stageError) Error() string { return e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

// judge turns a relay's result into the connection's error, and logs what ended it.
func (c *connection) judge(r *relay.Result) error {
	switch {
	case r.Panic != "":
		return c.fault(r.Panic)
	case r.Idle:
		c.log.Infof("transfer: s_poll_wait: TIMEOUTidle exceeded: sending reset")
		return &stageError{stageRelay, errors.New("TIMEOUTidle exceeded")}
	case r.Slow:
		c.log.Infof("transfer: s_poll_wait: TIMEOUTclose exceeded: closing")
		return nil
	case r.Canceled:
		return nil
	case r.TLS == relay.Failed:
		c.log.Errf("transfer: TLS: %s", reason(r.TLSErr))
		return &stageError{stageTLS, r.TLSErr}
	case r.Plain == relay.Failed:
		c.log.Errf("transfer: socket: %s", reason(r.PlainErr))
		return &stageError{stageRelay, r.PlainErr}
	case r.TLS == relay.Truncated:
		c.log.Infof("TLS socket closed without close_notify")
	default:
		c.log.Debugf("TLS closed, socket closed")
	}
	return nil
}

// close closes both sockets and writes the connection's last line. An error is
// told to both peers by a reset, unless the config says otherwise. After a fatal
// TLS alert the TLS side is closed normally, for a reset would overtake the alert.
func (c *connection) close(err error) {
	how := "closed"
	resetTLS := err != nil && c.svc.conf.Reset && !refused(err)
	resetPlain := resetTLS
	if resetTLS {
		how = "reset"
		if alerted(err) {
			resetTLS = false
			how = "reset/closed"
			if c.svc.conf.Client {
				how = "closed/reset"
			}
		}
	}
	c.mu.Lock()
	c.stopped = true // nothing of it may be touched by stop from here on
	plain, under := c.outgoing, c.accepted
	if c.svc.conf.Client {
		plain, under = under, plain
	}
	c.mu.Unlock()
	if resetTLS || err == nil {
		closeSocket(under, resetTLS)
		under = nil
	}
	if resetPlain || err == nil {
		closeSocket(plain, resetPlain)
		plain = nil
	}
	if c.log.Enabled(logging.Notice) {
		c.log.Noticef("Connection %s: %d byte(s) sent to TLS, %d byte(s) sent to socket",
			how, c.counters.ToTLS.Load(), c.counters.ToSocket.Load())
	}
	// An alert or an error reply is on its way there.
	for _, s := range []*relay.Socket{under, plain} {
		if s != nil {
			s.Linger(c.ctx)
		}
	}
}

// refused says whether a guest ended the connection on purpose: it has told its
// peers why, in their protocol, and a reset could overtake that. After a handshake
// that failed there was nothing left to tell.
func refused(err error) bool {
	var g *guest.Error
	return errors.As(err, &g) && g.Kind == guest.KindRefusal && handshakeError(err) == nil
}

// alerted says whether TLS ended the connection by an alert.
func alerted(err error) bool {
	e := handshakeError(err)
	return e != nil && relay.IsAlert(e)
}

// handshakeError gives what TLS failed with, also where a guest had asked for the
// handshake; nil if it did not fail.
func handshakeError(err error) error {
	var stage *stageError
	for errors.As(err, &stage) {
		if stage.stage == stageTLS {
			return stage.err
		}
		err = stage.err
	}
	return nil
}

func closeSocket(s *relay.Socket, reset bool) {
	switch {
	case s == nil:
	case reset:
		s.Reset()
	default:
		s.Close()
	}
}
