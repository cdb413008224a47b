package service

import (
	"errors"
	"strings"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/fault"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
)

// errFault is the error of a connection that a fault of this program ended.
var errFault = errors.New("internal error")

// fault logs a panic with its stack, a line each.
func (c *connection) fault(text string) error {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		c.log.Critf("INTERNAL ERROR: %s", line)
	}
	return &stageError{stageRelay, errFault}
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
	stagePolicy // logged where it happened
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
		c.broken("TLS", r.TLSErr)
		return &stageError{stageTLS, r.TLSErr}
	case r.Plain == relay.Failed:
		c.broken("socket", r.PlainErr)
		return &stageError{stageRelay, r.PlainErr}
	case r.TLS == relay.Truncated:
		c.log.Infof("TLS socket closed without close_notify")
	default:
		c.log.Debugf("TLS closed, socket closed")
	}
	return nil
}

// broken logs what broke a side of the relay. Peers that hang up by a reset are
// everyday; stunnel tells of them at level 6, and monitors watch level 3.
func (c *connection) broken(side string, err error) {
	if fault.Is(err, syscall.ECONNRESET, syscall.EPIPE) {
		c.log.Infof("%s fd: %s", side, reason(err))
		return
	}
	c.log.Errf("transfer: %s: %s", side, reason(err))
}

// close closes both sockets and writes the connection's last line. An error is
// told to both peers by a reset, unless the config says otherwise. After a fatal
// TLS alert the TLS side is closed normally, for a reset would overtake the alert.
func (c *connection) close(err error) {
	// Under TLS a denial is an orderly end: the peer did nothing wrong in it.
	orderly := refused(err) || errors.Is(err, errDenied) && c.tls != nil
	resetTLS := err != nil && c.chosen().conf.Reset && !orderly
	// A guest has told a local client of the handshake that failed, in its protocol.
	resetPlain := resetTLS && !(c.svc.conf.Client && guestRefused(err))
	resetTLS = resetTLS && !alerted(err)
	how := c.ending(resetTLS, resetPlain)
	c.mu.Lock()
	c.stopped = true // nothing of it may be touched by stop from here on
	plain, under := c.outgoing, c.accepted
	if c.svc.conf.Client {
		plain, under = under, plain
	}
	c.mu.Unlock()
	if orderly && c.tls != nil {
		// It fails on a peer that is gone, and is bounded by crypto/tls.
		_ = c.tls.CloseWrite()
	}
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
func refused(err error) bool { return guestRefused(err) && handshakeError(err) == nil }

func guestRefused(err error) bool {
	var g *guest.Error
	return errors.As(err, &g) && g.Kind == guest.KindRefusal
}

// ending is stunnel's word for how the sides were closed: one for both, or two of which the
// outgoing side's comes first.
func (c *connection) ending(resetTLS, resetPlain bool) string {
	words := map[bool]string{true: "reset", false: "closed"}
	first, second := words[resetPlain], words[resetTLS]
	if c.svc.conf.Client {
		first, second = second, first
	}
	if first == second {
		return first
	}
	return first + "/" + second
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
