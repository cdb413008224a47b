package service

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
)

// A tlsConn is the TLS side of a connection.
type tlsConn interface {
	net.Conn
	relay.TLS
	ConnectionState() tls.ConnectionState
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

// handshake does TLS on a socket, within TIMEOUTbusy and before ctx's deadline, which
// is guestTimeout's if a guest asked for it. ALPN lists the application protocols to
// offer or accept. Early was received already. Policies have the last word.
func (c *connection) handshake(ctx context.Context, s *relay.Socket, alpn []string, early []byte) error {
	if err := s.Unread(early); err != nil {
		return &stageError{stageTLS, err}
	}
	s.Frame()
	c.alpn = alpn
	if c.svc.conf.Client {
		c.logSNI()
	}
	until := time.Now().Add(c.svc.conf.TimeoutBusy)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	c.deadline(s, until)
	t, err := c.secure(s)
	if err != nil {
		return &stageError{stageTLS, told(err, s.ClearAlert())}
	}
	c.deadline(s, time.Time{})
	c.tls = t
	c.logHandshake(t.ConnectionState())
	if c.redirected {
		return nil
	}
	if err := c.decide(ctx, stageHandshook); err != nil {
		c.denied = true
		return err
	}
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
