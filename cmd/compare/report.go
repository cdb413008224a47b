package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// value is a measurement's figure, in the unit that the test's figure says.
func (m *measurement) value(t *test) float64 {
	switch t.figure() {
	case toStart:
		return m.Start
	case perConn:
		return m.Result.KiB
	}
	return m.Result.CPU / m.Result.Units * 1e6
}

// values are a peer's figures of a test by round, without the rounds that failed.
func (o *outcome) values(t *test, peer string) map[int]float64 {
	v := map[int]float64{}
	for _, m := range o.Measurements {
		if m.Test == t.name && m.Peer == peer && m.Error == "" {
			v[m.Round] = m.value(t)
		}
	}
	return v
}

// ratios are a peer's figures divided by another's in the same round, ascending.
func (o *outcome) ratios(t *test, peer, base string) []float64 {
	var r []float64
	below := o.values(t, base)
	for round, v := range o.values(t, peer) {
		if b := below[round]; b > 0 {
			r = append(r, v/b)
		}
	}
	slices.Sort(r)
	return r
}

// median is NaN for no values.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

// passes holds a figure against a target; NaN is no figure.
func passes(figure, limit float64) string {
	switch {
	case math.IsNaN(figure):
		return "not measured"
	case figure <= limit:
		return "PASS"
	}
	return "MISS"
}

// write prints the tables in Markdown, and below them what was out of the ordinary.
func (o *outcome) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", o.About)
	o.writePeers(&b)
	o.writeGuest(&b)
	o.writeRemarks(&b)
	_, err := io.WriteString(w, b.String())
	if err == nil {
		for _, m := range o.Measurements {
			if m.Error != "" {
				return fmt.Errorf("%s of %s failed, see above", m.Test, m.Peer)
			}
		}
	}
	return err
}

// writePeers prints a row for each test that compares proxies.
func (o *outcome) writePeers(b *strings.Builder) {
	if !slices.ContainsFunc(o.tests, func(t *test) bool { return !t.pair }) {
		return
	}
	fmt.Fprintf(b, "Medians over rounds; in parentheses the median of the ratios to %s in the same round, and how far\n"+
		"%s's ratios spread.\n\n| test | figure |", o.base, o.subject)
	for _, p := range o.peers {
		fmt.Fprintf(b, " %s |", p.name)
	}
	b.WriteString(" spread | target | |\n|---|---|" + strings.Repeat("---|", len(o.peers)) + "---|---|---|\n")
	for _, t := range o.tests {
		if t.pair {
			continue
		}
		fmt.Fprintf(b, "| %s | %s per %s |", t.name, t.figure(), t.unit)
		for _, p := range o.peers {
			fmt.Fprintf(b, " %s |", o.cell(t, p.name))
		}
		fmt.Fprintf(b, " %s | %s |\n", spread(o.ratios(t, o.subject, o.base)), o.judge(t, o.subject, o.base))
	}
	b.WriteString("\n")
}

// cell is a peer's figure in the table.
func (o *outcome) cell(t *test, peer string) string {
	v := o.values(t, peer)
	if len(v) == 0 {
		return "-"
	}
	var all []float64
	for _, x := range v {
		all = append(all, x)
	}
	text := fmt.Sprintf("%.4g", median(all))
	if r := o.ratios(t, peer, o.base); len(r) > 0 && peer != o.base {
		text += fmt.Sprintf(" (%.2f)", median(r))
	}
	return text
}

func spread(ratios []float64) string {
	if len(ratios) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f-%.2f", ratios[0], ratios[len(ratios)-1])
}

// judge is the last two columns of a test: its target, and whether it is met.
func (o *outcome) judge(t *test, subject, base string) string {
	if t.goal == nil {
		return "- | "
	}
	if t.goal.ratio {
		return fmt.Sprintf("ratio <= %.2f | %s", t.goal.limit, passes(median(o.ratios(t, subject, base)), t.goal.limit))
	}
	var all []float64
	for _, v := range o.values(t, subject) {
		all = append(all, v)
	}
	return fmt.Sprintf("<= %g %s | %s", t.goal.limit, t.figure(), passes(median(all), t.goal.limit))
}

// writeGuest prints what the guest costs.
func (o *outcome) writeGuest(b *strings.Builder) {
	var rows []string
	for _, t := range o.tests {
		if t.pair {
			r := o.ratios(t, kindGuest, kindNative)
			rows = append(rows, fmt.Sprintf("| %s, %s per %s: guest %s, Go %s | %.3f (%s) | %s |", t.name, t.figure(), t.unit,
				o.cell(t, kindGuest), o.cell(t, kindNative), median(r), spread(r), o.judge(t, kindGuest, kindNative)))
		}
	}
	if c := o.Costs; c != nil {
		rows = append(rows,
			fmt.Sprintf("| compile smtp, ms | %.2f | <= %d | %s |", c.Compile, compileGoal, passes(c.Compile, compileGoal)),
			fmt.Sprintf("| start all %d bundled guests, in client services, ms | %.1f | <= %d | %s |", c.Guests, c.Clients, compileAllGoal, passes(c.Clients, compileAllGoal)),
			fmt.Sprintf("| the same in server services, ms | %.1f | <= %d | %s |", c.Servers, compileAllGoal, passes(c.Servers, compileAllGoal)),
			fmt.Sprintf("| the same with a service of each mode, ms | %.1f | - | |", c.Both),
			fmt.Sprintf("| instantiate smtp and negotiate, us | %.1f | <= %d | %s |", c.Negotiate, instantiateGoal, passes(c.Negotiate, instantiateGoal)),
			fmt.Sprintf("| the same negotiation in Go, us | %.1f | - | |", c.Native),
			fmt.Sprintf("| compile smtp, ms of CPU | %.2f | - | |", c.CompileCPU),
			fmt.Sprintf("| make a runtime, ms | %.2f | - | |", c.Runtime))
	}
	if len(rows) > 0 {
		b.WriteString("| guest | | target | |\n|---|---|---|---|\n" + strings.Join(rows, "\n") + "\n\n")
	}
}

// writeRemarks names what makes a figure doubtful: errors, and handshakes that were
// not what the test is about.
func (o *outcome) writeRemarks(b *strings.Builder) {
	told := map[string]bool{}
	remark := func(m *measurement, format string, args ...any) {
		text := fmt.Sprintf("- %s, %s: %s\n", m.Test, m.Peer, fmt.Sprintf(format, args...))
		if !told[text] {
			told[text] = true
			b.WriteString(text)
		}
	}
	for _, m := range o.Measurements {
		if m.Error != "" {
			remark(m, "%s", m.Error)
			continue
		}
		if m.Result == nil {
			continue
		}
		if m.Result.Errors > 0 {
			remark(m, "%d errors, the first: %s", m.Result.Errors, m.Result.FirstError)
		}
		i := slices.IndexFunc(o.tests, func(t *test) bool { return t.name == m.Test })
		if text := o.tests[i].unexpected(m.Result); text != "" {
			remark(m, "%s: %s", text, m.Result.Negotiated)
		}
	}
}

// unexpected says how a result's handshakes are not those of the test.
func (t *test) unexpected(r *result) string {
	if t.load.Mode == modeHeld {
		return "" // not yet, or not all of it
	}
	version := "TLS 1.3"
	if t.load.Version != "" {
		version = "TLS " + t.load.Version
	}
	said, resumed := strings.CutSuffix(r.Negotiated, resumedMark)
	if t.load.TLS {
		resumed = r.Resumed > 0.5
	}
	switch {
	case !strings.HasPrefix(said, version+" ") || !strings.Contains(said, "AES_128_GCM") || !strings.HasSuffix(said, " X25519"):
		return "other cryptography than the test asks for"
	case t.load.Mode == modeHandshakes && resumed != (t.load.Resume || t.job.resume):
		if resumed {
			return "sessions were resumed"
		}
		return "sessions were not resumed"
	}
	return ""
}
