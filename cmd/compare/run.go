package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// A suite is one run of the comparison.
type suite struct {
	peers    []*peer
	only     *regexp.Regexp // of test names
	base     string         // name of the peer that ratios are to
	rounds   int
	time     time.Duration
	idle     int // connections of the idle test
	progress io.Writer
}

// guestTest is the name of the one test that starts no proxy.
const guestTest = "guest"

// A measurement is one peer in one round of one test.
type measurement struct {
	Test   string
	Peer   string
	Round  int
	Start  float64 // ms until the proxy accepted
	Result *result `json:",omitempty"`
	Error  string  `json:",omitempty"`
}

// An outcome is everything that a run measured.
type outcome struct {
	About        string
	Costs        *costs `json:",omitempty"` // nil: not measured
	Measurements []*measurement

	tests   []*test
	peers   []*peer // without the pair
	subject string  // name of the peer that targets are about
	base    string
}

// selected lists the tests that are to run.
func (s *suite) selected() []*test {
	all := tests(s.idle)
	return slices.DeleteFunc(all, func(t *test) bool { return !s.only.MatchString(t.name) })
}

// names lists the tests that are to run, by name.
func (s *suite) names() []string {
	var names []string
	for _, t := range s.selected() {
		names = append(names, t.name)
	}
	if s.only.MatchString(guestTest) {
		names = append(names, guestTest)
	}
	return names
}

// run does all tests. Its error is one that ends the run; what went wrong with a
// single peer is in its measurement.
func (s *suite) run(ctx context.Context) (*outcome, error) {
	o := &outcome{tests: s.selected(), peers: s.peers, subject: s.peers[0].name, base: s.base}
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := writeCertificates(dir); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if s.only.MatchString(guestTest) {
		if o.Costs, err = measureGuest(ctx, filepath.Join(dir, certECDSA+".pem")); err != nil {
			return nil, fmt.Errorf("measuring the guest: %w", err)
		}
	}
	back, err := startBackend(ctx, self, filepath.Join(dir, certECDSA+".pem"))
	if err != nil {
		return nil, err
	}
	defer back.stop()
	peers := append(slices.Clone(s.peers),
		&peer{name: kindGuest, kind: kindGuest, binary: self}, &peer{name: kindNative, kind: kindNative, binary: self})
	for _, t := range o.tests {
		fmt.Fprintln(s.progress, t.name)
		for round := 0; ; round++ {
			order := t.order(peers, s.rounds, round)
			if len(order) == 0 {
				break
			}
			for _, p := range order {
				m := s.measure(ctx, t, p, dir, self, &back.backends)
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				m.Round = round
				o.Measurements = append(o.Measurements, m)
				s.tell(t, m)
			}
		}
	}
	return o, nil
}

// measure starts a peer, runs a test against it and ends it.
func (s *suite) measure(ctx context.Context, t *test, p *peer, dir, self string, b *backends) *measurement {
	m := &measurement{Test: t.name, Peer: p.name}
	j := t.job
	j.dir, j.connect = dir, b.connect(&j)
	var err error
	if j.listen, err = freeAddr(); err != nil {
		m.Error = err.Error()
		return m
	}
	x, err := startProxy(ctx, p, &j)
	if err != nil {
		m.Error = err.Error()
		return m
	}
	defer x.stop()
	m.Start = milliseconds(x.start)
	if t.load.Mode == "" {
		return m
	}
	l := t.load
	l.Addr, l.PID, l.Time, l.Target = j.listen, x.cmd.Process.Pid, s.time, b.Plain
	if j.mutual {
		l.Cert = j.pem()
	}
	if m.Result, err = generate(ctx, self, l); err != nil {
		m.Error = fmt.Sprintf("%v: %s", err, x.out.String())
	}
	return m
}

// tell shows a measurement while the run goes on.
func (s *suite) tell(t *test, m *measurement) {
	fmt.Fprintf(s.progress, "  round %d %-8s ", m.Round+1, m.Peer)
	if m.Error != "" {
		fmt.Fprintln(s.progress, m.Error)
		return
	}
	fmt.Fprintf(s.progress, "%.4g %s", m.value(t), t.figure())
	if r := m.Result; r != nil {
		fmt.Fprintf(s.progress, ", %.0f/s", r.Units/r.Seconds)
	}
	fmt.Fprintln(s.progress)
}
