package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// MaxDecisions is how many decisions of one service are under way; a connection over it
// waits for its turn as long as a decision may take. A policy only computes, so that more
// at once would take memory and gain nothing.
//
// The turns are others than those of negotiations: a negotiation that dials keeps its
// own while a policy decides. Who holds a turn to decide waits for no other.
const MaxDecisions = 64

// The stages at which policies are asked.
const (
	stageAccepted  = "accept"    // addresses are known
	stageHandshook = "handshake" // and what TLS tells
	stageDialling  = "dial"      // and the target, before it is connected
)

// A policy is a guest that decides about the connections of a service.
type policy struct {
	name           string
	module         *guest.Module
	limits         guest.Limits
	turns          chan struct{}
	fixed, secrets map[string]string
}

// loadPolicy finds, checks and compiles a policy.
func (s *Service) loadPolicy(ctx context.Context, set *Set, line *config.Policy, o Options) *config.Error {
	ref := policyLine(s.conf, line)
	p := &policy{
		name:   line.Label,
		turns:  make(chan struct{}, MaxDecisions),
		limits: guest.Limits{Fuel: s.conf.Guest.CPU, Pages: s.conf.Guest.Memory, Time: s.conf.Guest.Timeout},
	}
	p.fixed, p.secrets = policyConfig(s.conf, line)
	addSecrets(o.Log, p.secrets)
	var bad *config.Error
	if p.module, bad = set.guests.get(ref.key); bad != nil {
		return bad
	}
	log := o.Log.Logger("ui")
	say := func(severity int, text string) { guestLine(log, p.name, severity, text) }
	if err := p.module.Configure(ctx, p.lookup, say, p.limits); err != nil {
		return ref.refusal(err)
	}
	s.ask = append(s.ask, p)
	return nil
}

// policyConfig is what a policy's config call gives, and its secret call: nothing of the
// protocol's.
func policyConfig(sc *config.Service, line *config.Policy) (open, secret map[string]string) {
	open = map[string]string{abi.KeyService: sc.Name, abi.KeyClient: "no", abi.KeyConnect: targetLines(sc.Connect)}
	if sc.Client {
		open[abi.KeyClient] = "yes"
	}
	secret = map[string]string{}
	addOptions(open, secret, line.Options)
	return open, secret
}

func (p *policy) lookup(key string) (string, bool) {
	v, ok := p.fixed[key]
	return v, ok
}

// targetLines lists configured targets, a line each.
func targetLines(targets []config.Address) string {
	var lines strings.Builder
	for _, a := range targets {
		lines.WriteString(a.String() + "\n")
	}
	return lines.String()
}

// errDenied is the error of a connection that a policy ended. Why is in the log, and
// not for the peers.
var errDenied = errors.New("a policy denies it")

// decide asks the policies of the service, and then those of the secondary that the
// client's name chose: who names another service is not rid of the first one's. Nil
// allows. Any other end of a policy denies, and is logged here.
func (c *connection) decide(ctx context.Context, stage string) error {
	if err := c.askPolicies(ctx, c.svc, stage); err != nil || c.served == nil {
		return err
	}
	if stage == stageHandshook {
		// The stage that was over before the secondary was known: a policy may look at
		// addresses there, and at nothing later.
		if err := c.askPolicies(ctx, c.served, stageAccepted); err != nil {
			return err
		}
	}
	return c.askPolicies(ctx, c.served, stage)
}

// askPolicies asks all policies of a service.
func (c *connection) askPolicies(ctx context.Context, s *Service, stage string) error {
	for _, p := range s.ask {
		if err := c.askPolicy(ctx, p, stage); err != nil {
			return &stageError{stagePolicy, errDenied}
		}
	}
	return nil
}

func (c *connection) askPolicy(ctx context.Context, p *policy, stage string) error {
	err := p.turn(ctx)
	if err != nil {
		c.log.Errf("policy %s: %s", p.name, reason(err))
		return err
	}
	defer func() { <-p.turns }()
	before := len(c.notes)
	err = p.module.Decide(ctx, &inquiry{lender{c: c, svc: c.svc}, p, stage}, p.limits)
	for _, n := range c.notes[before:] {
		c.log.Infof("%s: %s=%q", p.name, n.key, n.value)
	}
	if g, ok := errors.AsType[*guest.Error](err); ok && g.Kind == guest.KindRefusal {
		c.log.Warnf("Service [%s] policy %s denied connection from %s: %s",
			c.svc.Name(), p.name, plainAddr(c.accepted.RemoteAddr()), g.Reason)
		return err
	}
	if err != nil {
		c.reportGuest(err)
	}
	return err
}

// turn waits for the turn of a decision.
func (p *policy) turn(ctx context.Context) error {
	select {
	case p.turns <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(guest.DecideTime)
	defer t.Stop()
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-t.C:
		return fmt.Errorf("more than %d decisions at once", MaxDecisions)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// An inquiry is the guest.Host of one decision. Of the connection it lends facts, and the
// choice among the configured targets.
type inquiry struct {
	lender
	p     *policy
	stage string
}

var _ guest.Host = (*inquiry)(nil)

func (q *inquiry) Config(key string) (string, bool) { return q.p.lookup(key) }

func (q *inquiry) Secret(key string) (string, bool) {
	v, ok := q.p.secrets[key]
	return v, ok
}

func (q *inquiry) Log(severity int, text string) { guestLine(q.c.log, q.p.name, severity, text) }

func (q *inquiry) Annotate(key, value string) {
	q.c.notes = append(q.c.notes, note{q.p.name, key, value})
}

func (q *inquiry) Info(id abi.InfoID) (string, bool) {
	switch id {
	case abi.InfoStage:
		return q.stage, true
	case abi.InfoTarget:
		if q.stage != stageDialling && q.c.outgoing == nil {
			return "", false
		}
		return q.c.asked(), true
	}
	return q.lender.Info(id)
}

// SetTarget chooses among the configured targets: where else connections may lead to
// is for guestDial to say, and no policy.
func (q *inquiry) SetTarget(target string) error {
	if q.c.outgoing != nil {
		return &guest.CodeError{Code: abi.State, Err: errors.New("connected already")}
	}
	if _, ok := q.c.chosen().dialer.Configured(target); !ok {
		return &guest.CodeError{Code: abi.Denied, Err: fmt.Errorf("target %s is not configured", target)}
	}
	q.c.route = target
	return nil
}

// asked is the target as a policy or a guest chose it, else the configured ones.
func (c *connection) asked() string {
	switch {
	case c.route != "":
		return c.route
	case c.target != "":
		return c.target
	case c.chosen().conf.Transparent.Destination:
		return c.destination.String()
	}
	return targetLines(c.chosen().conf.Connect)
}
