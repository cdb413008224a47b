// Package probe is a host that means a guest harm: what a daemon may meet in a bad year,
// in a second. It is the counterpart of testdata/abi, where guests mean harm to a host.
//
// It takes transcripts (package flight) as the ways into the guest's conversation, and
// breaks each at every point: the peers leave, they say nothing, they send lines without
// end; every host call fails with every code; the limits are tiny. Whatever happens, a
// guest must refuse with a reason that does not blame itself, or hand over to the relay:
// it must not trap, run out of fuel or time, or name memory that it does not have.
package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

const (
	// silence is how long a guest waits for peers that say nothing.
	silence = 2 * time.Millisecond

	// patience bounds one probe, however the guest computes.
	patience = 10 * time.Second

	// longWait is the longest that a transcript may wait by itself to be probed: each
	// probe takes as long.
	longWait = time.Second

	// hugeLine is longer than any limit on plaintext, in bytes.
	hugeLine = 1 << 20

	// manyLines is how many short lines come at once.
	manyLines = 10_000

	// atOnce is how many probes run at a time. Most of them wait: some guests do so for a
	// second before they turn a client away.
	atOnce = 256

	// maxCalls is up to which host call of a run faults are tried.
	maxCalls = 100
)

// A Fault is a probe that the guest did not stand.
type Fault struct {
	Flight string
	Probe  string // what was done to it
	Err    string // what it did
}

// A Report is what came of all probes of a module.
type Report struct {
	Probes  int
	Faults  []Fault
	LeftOut []string // transcripts that wait for too long to be probed
}

// A prober probes one module along one transcript.
type prober struct {
	ctx    context.Context
	module *guest.Module
	flight string

	group  sync.WaitGroup
	places chan struct{} // of probes at once, of all transcripts

	mu     sync.Mutex
	probes int
	found  []Fault
	seen   map[string]bool // faults of one kind are told once a flight
}

// Run probes a module along transcripts, by their names.
func Run(ctx context.Context, module *guest.Module, names []string, scripts map[string]*flight.Flight) *Report {
	places := make(chan struct{}, atOnce)
	report := &Report{}
	var probers []*prober
	var all sync.WaitGroup
	for _, name := range names {
		if waits(scripts[name]) > longWait {
			report.LeftOut = append(report.LeftOut, name)
			continue
		}
		p := &prober{ctx: ctx, module: module, flight: name, places: places, seen: map[string]bool{}}
		probers = append(probers, p)
		all.Go(func() { p.run(scripts[name]) })
	}
	all.Wait()
	for _, p := range probers {
		report.Probes += p.probes
		report.Faults = append(report.Faults, p.found...)
	}
	return report
}

// waits is how long a transcript waits in all.
func waits(script *flight.Flight) (all time.Duration) {
	for _, s := range script.Talk {
		if ms, err := strconv.Atoi(s.Rest); s.Verb == "wait" && err == nil {
			all += time.Duration(ms) * time.Millisecond
		}
	}
	return all
}

func (p *prober) run(script *flight.Flight) {
	p.ends(script)
	p.lines(script)
	p.faults(script)
	p.limits(script)
	p.group.Wait()
}

// try plays what a probe has made of a transcript, when there is a place for it, and
// judges how the guest ended. What it said is no matter: the script is a way in.
func (p *prober) try(what string, script *flight.Flight, o flight.Options, wrong func(*guest.Error) string) {
	p.places <- struct{}{}
	p.group.Go(func() {
		defer func() { <-p.places }()
		var report flight.Report
		o.Report, o.Patience = &report, patience
		_ = flight.Play(p.ctx, p.module, script, o)
		p.judge(what, report.Err, wrong)
	})
}

func (p *prober) judge(what string, err error, wrong func(*guest.Error) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probes++
	if err == nil {
		return
	}
	reason := err.Error()
	if e, ok := errors.AsType[*guest.Error](err); ok {
		reason = wrong(e)
	}
	if reason != "" && !p.seen[reason] {
		p.seen[reason] = true
		p.found = append(p.found, Fault{p.flight, what, reason})
	}
}

// misbehaviour is what is wrong with the way a guest ended; empty: nothing.
func misbehaviour(e *guest.Error) string {
	switch {
	case e.Kind == guest.KindClear:
		return "" // its peers said too much, which the host ends
	case e.Kind != guest.KindRefusal:
		return fmt.Sprintf("%s: %s", e.Kind, strings.TrimSpace(e.Reason+" "+e.Place))
	case unexplained(e.Reason):
		return "it refuses without a reason: " + e.Reason
	case e.Reason == "":
		return "it refuses with an empty reason"
	case e.Class == abi.FailInternal:
		return "it blames itself: " + e.Reason
	}
	return ""
}

// unexplained tells a reason that the host gave, since the guest gave none.
func unexplained(reason string) bool {
	export, _, ok := strings.Cut(reason, " returned ")
	return ok && (export == abi.ExportDecide || slices.Contains(abi.Negotiations, export))
}

// cut is a transcript up to a step. It ends where the guest still waits.
func cut(script *flight.Flight, n int) *flight.Flight {
	short := *script
	short.Talk = script.Talk[:n:n]
	return &short
}

// ends has the peers leave, and fall silent, before every step.
func (p *prober) ends(script *flight.Flight) {
	for i, s := range script.Talk {
		before := fmt.Sprintf("before line %d", s.Line)
		p.try("both peers leave "+before, cut(script, i), flight.Options{}, misbehaviour)
		for _, side := range []string{"L", "S"} {
			one := cut(script, i)
			one.Talk = append(one.Talk, flight.Step{Verb: "eof", Rest: side})
			p.try(fmt.Sprintf("%s leaves %s", side, before), one, flight.Options{}, misbehaviour)
		}
		if s.Verb == "L:" || s.Verb == "S:" || s.Verb == "tls" {
			quiet := cut(script, i)
			quiet.Talk = append(quiet.Talk, flight.Step{Verb: "wait", Rest: fmt.Sprint(3 * silence.Milliseconds())})
			p.try("silence "+before, quiet, flight.Options{Limits: guest.Limits{Busy: silence}}, misbehaviour)
		}
	}
}

// lines puts something else into every word of a peer.
func (p *prober) lines(script *flight.Flight) {
	for i, s := range script.Talk {
		if s.Verb != "L:" && s.Verb != "S:" {
			continue
		}
		for what, text := range map[string]string{
			"a line without end":   strings.Repeat("x", hugeLine),
			"many empty lines":     strings.Repeat("\r\n", manyLines),
			"the same ten times":   strings.Repeat(s.Text, 10),
			"zeros":                strings.Repeat("\x00", 4096),
			"bytes of all ones":    strings.Repeat("\xff", 4096),
			"the half of it":       s.Text[:len(s.Text)/2],
			"it without a CR":      strings.ReplaceAll(s.Text, "\r", ""),
			"it behind a space":    " " + s.Text,
			"a handshake too soon": "\x16\x03\x01\x02\x00" + strings.Repeat("\x01", 512),
		} {
			other := cut(script, i+1)
			other.Talk = append(other.Talk[:i:i], flight.Step{Line: s.Line, Verb: s.Verb, Text: text})
			p.try(fmt.Sprintf("%s in place of line %d", what, s.Line), other, flight.Options{}, misbehaviour)
		}
	}
}

// limits gives next to nothing.
func (p *prober) limits(script *flight.Flight) {
	for _, clear := range []int{1, 2, 3, 16, 64, 200} {
		l := guest.Limits{Clear: clear}
		p.try(fmt.Sprintf("%d bytes of plaintext", clear), script, flight.Options{Limits: l}, misbehaviour)
	}
	l := guest.Limits{Pages: p.module.Info.MinPages}
	p.try("no more memory than it begins with", script, flight.Options{Limits: l}, func(e *guest.Error) string {
		if e.Kind == guest.KindLoad {
			return "" // its toolchain's start-up has grown it already
		}
		return misbehaviour(e)
	})
}
