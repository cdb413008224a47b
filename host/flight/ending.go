package flight

import (
	"errors"
	"fmt"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// end waits for the guest to return.
func (p *player) end() (*ending, error) {
	var e *ending
	p.await(func() bool { e = p.result; return e != nil })
	if e == nil {
		return nil, errors.New(p.state())
	}
	return e, nil
}

// state says what the guest does, for the fault of a script that waits in vain.
func (p *player) state() string {
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	switch {
	case p.result == nil:
		if peers := p.wire.waitsFor(); peers != "" {
			return "the guest still waits for " + peers
		}
		return "the guest still runs"
	case p.result.err == nil:
		return p.agreed()
	}
	return "the guest " + closing(p.result.err)
}

// agreed is what a guest did that returned zero.
func (p *player) agreed() string {
	if p.result.outcome == nil {
		return "the guest allowed it"
	}
	return "the guest handed over to the relay"
}

// success waits for the guest to return, and gives the error of one that refused.
func (p *player) success() (*guest.Outcome, error) {
	e, err := p.end()
	if err != nil {
		return nil, err
	}
	if e.err != nil {
		return nil, fmt.Errorf("the guest %s", closing(e.err))
	}
	return e.outcome, nil
}

func (p *player) allowed() error {
	outcome, err := p.success()
	if err == nil && outcome != nil {
		return errors.New(p.agreed())
	}
	return err
}

// negotiated is what a protocol's guest leaves, that succeeded.
func (p *player) negotiated() (*guest.Outcome, error) {
	outcome, err := p.success()
	if err == nil && outcome == nil {
		return nil, errors.New(p.agreed())
	}
	return outcome, err
}

func (p *player) relayed(s Step) error {
	outcome, err := p.negotiated()
	if err != nil {
		return err
	}
	if outcome.TLS != p.tls {
		return fmt.Errorf("TLS on accepted and outgoing side is %v, want %v", outcome.TLS, p.tls)
	}
	if dialled := outcome.Conns[abi.Outgoing] != nil; dialled == (s.Rest == unconnected) {
		return fmt.Errorf("the guest connected: %v", dialled)
	}
	return nil
}

func (p *player) unread(s Step) error {
	outcome, err := p.negotiated()
	if err != nil {
		return err
	}
	got := string(outcome.Unread[s.Side()]) + string(p.host.conns[s.Side()].Unheard())
	if got != s.Text {
		return fmt.Errorf("the relay finds %q", got)
	}
	return nil
}

func (p *player) closed(want string) error {
	e, err := p.end()
	if err != nil {
		return err
	}
	if e.err == nil {
		return errors.New(p.agreed())
	}
	if _, ok := errors.AsType[*guest.Error](e.err); !ok {
		return e.err
	}
	if Closing(e.err) != want {
		return fmt.Errorf("the guest %s", closing(e.err))
	}
	return nil
}

// Closing is what the step close: says of how a guest ended.
func Closing(err error) string {
	failure, ok := errors.AsType[*guest.Error](err)
	if !ok {
		return err.Error()
	}
	if failure.Kind == guest.KindRefusal {
		return fmt.Sprintf("%s %q", failure.Class, failure.Reason)
	}
	return fmt.Sprintf("%s %q", failure.Kind, failure.Reason)
}

// closing is the same as words behind "the guest", with the place of a trap.
func closing(err error) string {
	words := "closed with " + Closing(err)
	if failure, ok := errors.AsType[*guest.Error](err); ok && failure.Place != "" && failure.Kind != guest.KindRefusal {
		words += " in " + failure.Place
	}
	return words
}
