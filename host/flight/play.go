package flight

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// DefaultPatience is how long a peer waits for a guest that says when it goes on.
const DefaultPatience = time.Minute

// Options say how a flight is played.
type Options struct {
	Single bool         // reads give one byte at a time, and the talk is the flight's Bytes
	Limits guest.Limits // of the guest

	// Patience bounds how long a peer waits for a line. A guest that waits for longer,
	// or for ever, fails the flight at once. Zero: DefaultPatience.
	Patience time.Duration

	// Lend gives what the guest is lent in place of the flight's host; nil: that.
	Lend func(guest.Host) guest.Host

	// Report, if not nil, is told what the guest took.
	Report *Report
}

// A Report is what a guest took for one flight.
type Report struct {
	Time  time.Duration // from its start to its end, its peers' turns included
	Calls int           // of the host; 0 for a guest that refused
	Pages uint32        // 64 KiB pages of memory; 0 for a guest that refused

	Outcome *guest.Outcome // nil for one that refused, and for a policy
	Err     error          // how it refused
}

// A player plays both peers of one flight, by the script.
type player struct {
	host     *Host
	wire     *wire
	peers    [2]*Conn // the far ends, by side
	patience time.Duration
	notes    []string // that the script wants
	tls      [2]bool  // that the script said
	result   *ending  // guarded by wire.mu; nil: the guest runs
}

type ending struct {
	outcome *guest.Outcome
	err     error
}

// Play plays a flight against a guest. The error says, line by line, where the guest
// left the script; nil: nowhere.
func Play(ctx context.Context, module *guest.Module, f *Flight, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &player{wire: newWire(), patience: o.Patience}
	if p.patience == 0 {
		p.patience = DefaultPatience
	}
	var near [2]*Conn
	for side := range near {
		near[side], p.peers[side] = pipe(p.wire, o.Single)
	}
	p.host = NewHost(f, near[abi.Accepted], near[abi.Outgoing])
	talk := f.Talk
	if o.Single {
		talk = f.Bytes
	}
	var lent guest.Host = p.host
	if o.Lend != nil {
		lent = o.Lend(lent)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		begin := time.Now()
		outcome, err := run(ctx, module, lent, o.Limits)
		o.Report.fill(time.Since(begin), outcome, err)
		p.wire.mu.Lock()
		defer p.wire.mu.Unlock()
		p.result = &ending{outcome, err}
		p.wire.change.Broadcast()
	}()
	err := p.play(talk)
	for _, peer := range p.peers {
		_ = peer.Close() // which never fails
	}
	// A guest that the script has left alone sees its peers gone, and should go too.
	give := time.AfterFunc(p.patience, cancel)
	<-ended
	give.Stop()
	cancel()
	return err
}

func (r *Report) fill(took time.Duration, outcome *guest.Outcome, err error) {
	if r == nil {
		return
	}
	r.Time, r.Outcome, r.Err = took, outcome, err
	if outcome != nil {
		r.Calls, r.Pages = outcome.Calls, outcome.Pages
	}
}

// run has a guest do what its role is. A policy leaves no streams.
func run(ctx context.Context, module *guest.Module, h guest.Host, l guest.Limits) (*guest.Outcome, error) {
	if module.Info.Decides {
		return nil, module.Decide(ctx, h, l)
	}
	return module.Negotiate(ctx, h, l)
}

// play does all steps, and looks for what the guest did beside them.
func (p *player) play(talk []Step) error {
	var faults []error
	for _, s := range talk {
		if err := p.step(s); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %s: %w", s.Line, strings.TrimSpace(s.Verb+" "+s.Rest), err))
			break
		}
	}
	for side, peer := range p.peers {
		left := peer.Unheard()
		shown := len(faults) > 0 && strings.Contains(faults[0].Error(), fmt.Sprintf("%.200q", left))
		if len(left) > 0 && !shown {
			faults = append(faults, fmt.Errorf("the guest also sent %.200q to %s", left, letter(abi.Side(side))))
		}
	}
	if got, want := p.host.Notes(), strings.Join(p.notes, "\n"); got != want {
		faults = append(faults, fmt.Errorf("the guest told the host:\n%s\nwant:\n%s", got, want))
	}
	return errors.Join(faults...)
}

// step does one step.
func (p *player) step(s Step) error {
	peer := p.peers[s.Side()]
	switch s.Verb {
	case "L:", "S:":
		if err := p.settled(); err != nil {
			return err
		}
		_, err := peer.Write([]byte(s.Text))
		return err
	case "L<", "S<":
		return p.hear(peer, s.Text)
	case "L~", "S~":
		n, _ := strconv.Atoi(s.Rest)
		return p.hearRandom(peer, n)
	case "tls":
		if err := p.settled(); err != nil {
			return err
		}
		p.tls[s.Side()] = true
		_, err := peer.Write([]byte{tlsHandshake})
		return err
	case "eof":
		if err := p.settled(); err != nil {
			return err
		}
		return peer.CloseWrite()
	case "wait":
		ms, _ := milliseconds(s.Rest)
		p.rest()
		time.Sleep(time.Duration(ms) * time.Millisecond)
	case "annotate", "log", "target", "alpn":
		p.notes = append(p.notes, s.Verb+" "+s.Rest)
	case "relay":
		return p.relayed(s)
	case "unread L:", "unread S:":
		return p.unread(s)
	case "close:", "deny:":
		return p.closed(s.Rest)
	case "allow":
		return p.allowed()
	}
	return nil // a connect is known from the start
}

// await waits for something to be so, which is asked with the wire's lock held, and
// says whether it is. It is given up when nothing can change any more.
func (p *player) await(so func() bool) bool {
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	end := time.Now().Add(p.patience)
	wake := time.AfterFunc(p.patience, func() {
		p.wire.mu.Lock()
		defer p.wire.mu.Unlock()
		p.wire.change.Broadcast()
	})
	defer wake.Stop()
	for !so() {
		if p.result != nil || !time.Now().Before(end) {
			return false
		}
		if until, ok := p.wire.quiet(); ok && (until.IsZero() || until.After(end)) {
			return false
		}
		p.wire.change.Wait()
	}
	return true
}

// rest waits until the guest waits for a peer, or has ended.
func (p *player) rest() {
	p.await(func() bool { _, ok := p.wire.quiet(); return ok })
}

// settled waits until the guest waits for a peer, and says what it sent that the
// script does not have: a peer only speaks when everything before was heard.
func (p *player) settled() error {
	p.rest()
	for side, peer := range p.peers {
		if left := peer.Unheard(); len(left) > 0 {
			return fmt.Errorf("the guest sent %.200q to %s before", left, letter(abi.Side(side)))
		}
	}
	return nil
}

// hear reads what the guest sends to a peer.
func (p *player) hear(peer *Conn, want string) error {
	var got string
	p.await(func() bool {
		got = string(peer.in.data[:min(len(want), len(peer.in.data))])
		return len(got) == len(want) || !strings.HasPrefix(want, got)
	})
	if got == want {
		p.wire.mu.Lock()
		defer p.wire.mu.Unlock()
		peer.in.data = peer.in.data[len(want):]
		return nil
	}
	if strings.HasPrefix(want, got) {
		return fmt.Errorf("received %.200q, and %s", got, p.state())
	}
	if end := strings.TrimSuffix(want, "\r\n") + "\n"; strings.HasPrefix(got, end) {
		return fmt.Errorf("received %.200q, want %.200q, since TEXT ends in CR LF unless it is quoted", got, want)
	}
	p.rest() // so that the fault has all of it
	return fmt.Errorf("received %.200q", peer.Unheard())
}

// hearRandom reads n bytes from the guest, whatever they are.
func (p *player) hearRandom(peer *Conn, n int) error {
	if !p.await(func() bool { return len(peer.in.data) >= n }) {
		return fmt.Errorf("received %.200q, and %s", peer.Unheard(), p.state())
	}
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	peer.in.data = peer.in.data[n:]
	return nil
}
