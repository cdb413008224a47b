package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/dial"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// A note is a fact that a guest annotated.
type note struct{ guest, key, value string }

// negotiate runs the protocol of the service that a lender is for.
func (c *connection) negotiate(l lender) error {
	if err := c.slot(l.svc); err != nil {
		return &stageError{stageGuest, err}
	}
	defer func() { <-l.svc.slots }()
	before := len(c.notes)
	out, err := l.svc.proto.Negotiate(c.ctx, l, l.svc.limits)
	for _, n := range c.notes[before:] {
		if n.guest == l.svc.conf.Protocol {
			c.log.Infof("%s: %s=%q", n.guest, n.key, n.value)
		}
	}
	if taken(err) {
		return nil // what it had read ahead went into the handshake
	}
	if err != nil {
		var failed *stageError
		if errors.As(err, &failed) && failed.stage == stageTLS {
			c.report(failed) // the reason behind what the guest says
		}
		return &stageError{stageGuest, err}
	}
	c.left = out.Unread
	return nil
}

// slot waits for the turn of this negotiation.
func (c *connection) slot(svc *Service) error {
	select {
	case svc.slots <- struct{}{}:
		return nil
	default:
	}
	c.log.Infof("%d negotiations of this service are under way: waiting", MaxNegotiations)
	t := time.NewTimer(svc.conf.TimeoutBusy)
	defer t.Stop()
	select {
	case svc.slots <- struct{}{}:
		return nil
	case <-t.C:
		return fmt.Errorf("more than %d negotiations of one service", MaxNegotiations)
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// A lender is the guest.Host of a connection: a type of its own, so that a
// negotiator sees no more of the connection than that.
type lender struct {
	c      *connection
	svc    *Service // whose guest it is for
	within bool     // the client's handshake is over: it is what chose svc
}

var _ guest.Host = lender{}

func (l lender) Accepted() net.Conn {
	if l.within {
		return sealed{l.c.tls}
	}
	return l.c.accepted
}

func (l lender) SetTarget(target string) error {
	l.c.target = target
	return nil
}

func (l lender) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	addrs, err := l.c.chosen().dialer.ResolveChosen(ctx, name, 0, &l.c.chosen().reach, l.c.log)
	return addrs, denied(err)
}

// denied gives what is not allowed the code for it.
func denied(err error) error {
	if errors.Is(err, dial.ErrDenied) || errors.Is(err, errDenied) {
		return &guest.CodeError{Code: abi.Denied, Err: err}
	}
	return err
}

func (l lender) Connect(ctx context.Context) (net.Conn, error) {
	if err := l.c.connect(ctx); err != nil {
		return nil, denied(err)
	}
	return l.c.outgoing, nil
}

// StartTLS does the handshake on the side that the config encrypts, and no other:
// a guest cannot turn a server into a client.
func (l lender) StartTLS(ctx context.Context, side abi.Side, alpn []string, early []byte) (net.Conn, error) {
	c := l.c
	if side != c.tlsSide() {
		return nil, &guest.CodeError{Code: abi.Denied, Err: fmt.Errorf("the config has no TLS on the %s side", side)}
	}
	if c.under() == nil {
		return nil, &guest.CodeError{Code: abi.State, Err: errors.New("not connected")}
	}
	if l.within {
		return c.tls, nil
	}
	if err := c.handshake(ctx, c.under(), alpn, early); err != nil {
		return nil, denied(err)
	}
	if c.takenOver() {
		return nil, guest.ErrTaken
	}
	return c.tls, nil
}

func (l lender) Config(key string) (string, bool) { return l.svc.lookup(key) }

func (l lender) Secret(key string) (string, bool) {
	v, ok := l.svc.secrets[key]
	return v, ok
}

func (l lender) Annotate(key, value string) {
	l.c.notes = append(l.c.notes, note{l.svc.conf.Protocol, key, value})
}

func (l lender) Fact(key string) (string, bool) {
	for _, n := range slices.Backward(l.c.notes) {
		if n.key == key {
			return n.value, true
		}
	}
	return "", false
}

func (l lender) Log(severity int, text string) {
	guestLine(l.c.log, l.svc.conf.Protocol, severity, text)
}

// guestLine logs a guest's line, at Err at worst: what is more severe than that passes
// every debug option, and syslog may write it to the terminals of all users.
func guestLine(log *logging.Logger, protocol string, severity int, text string) {
	log.Logf(max(logging.Level(severity), logging.Err), "%s: %s", protocol, text)
}

func (l lender) Info(id abi.InfoID) (string, bool) { return l.c.fact(id) }
