package main

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestReport holds the arithmetic: ratios are taken within rounds, and a round that
// failed takes no part.
func TestReport(t *testing.T) {
	hs := load{Mode: modeHandshakes, TLS: true}
	o := &outcome{
		About:   "about",
		peers:   []*peer{{name: "wasm"}, {name: "stunnel"}, {name: "nginx"}},
		subject: "wasm",
		base:    "stunnel",
		tests: []*test{
			{name: "fast", unit: "handshake", load: hs, goal: &goal{0.6, true}},
			{name: "slow", unit: "handshake", load: hs, goal: &goal{0.6, true}},
			{name: "start", unit: "start", goal: &goal{limit: 30}},
			{name: "pair", unit: "session", load: hs, pair: true, goal: &goal{1.1, true}},
			{name: "none", unit: "handshake", load: hs, goal: &goal{0.6, true}},
		},
		Costs: &costs{Compile: 9, CompileCPU: 8, Runtime: 1, Negotiate: 101, Native: 2, Guests: 15, Clients: 59, Servers: 60, Both: 61},
	}
	add := func(test, peer string, round int, cpu float64) {
		o.Measurements = append(o.Measurements, &measurement{Test: test, Peer: peer, Round: round, Start: 20,
			Result: &result{Units: 1000, Seconds: 1, CPU: cpu, Negotiated: "TLS 1.3 TLS_AES_128_GCM_SHA256 X25519"}})
	}
	for round, cpu := range []float64{1, 2, 4} {
		add("fast", "wasm", round, cpu/2)
		add("fast", "stunnel", round, cpu)
		add("slow", "wasm", round, cpu)
		add("slow", "stunnel", round, cpu)
	}
	add("fast", "nginx", 2, 1)
	add("start", "wasm", 0, 0)
	add("pair", kindGuest, 0, 0.21)
	add("pair", kindNative, 0, 0.2)
	o.Measurements[0].Result.Errors, o.Measurements[0].Result.FirstError = 3, "reset"
	o.Measurements[1].Result.Negotiated = "TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 X25519"

	want := `about

Medians over rounds; in parentheses the median of the ratios to stunnel in the same round, and how far
wasm's ratios spread.

| test | figure | wasm | stunnel | nginx | spread | target | |
|---|---|---|---|---|---|---|---|
| fast | us of CPU per handshake | 1000 (0.50) | 2000 | 1000 (0.25) | 0.50-0.50 | ratio <= 0.60 | PASS |
| slow | us of CPU per handshake | 2000 (1.00) | 2000 | - | 1.00-1.00 | ratio <= 0.60 | MISS |
| start | ms per start | 20 | - | - | - | <= 30 ms | PASS |
| none | us of CPU per handshake | - | - | - | - | ratio <= 0.60 | not measured |

| guest | | target | |
|---|---|---|---|
| pair, us of CPU per session: guest 210, Go 200 | 1.050 (1.05-1.05) | ratio <= 1.10 | PASS |
| compile smtp, ms | 9.00 | <= 10 | PASS |
| start all 15 bundled guests, in client services, ms | 59.0 | <= 60 | PASS |
| the same in server services, ms | 60.0 | <= 60 | PASS |
| the same with a service of each mode, ms | 61.0 | - | |
| instantiate smtp and negotiate, us | 101.0 | <= 100 | MISS |
| the same negotiation in Go, us | 2.0 | - | |
| compile smtp, ms of CPU | 8.00 | - | |
| make a runtime, ms | 1.00 | - | |

- fast, wasm: 3 errors, the first: reset
- fast, stunnel: other cryptography than the test asks for: TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 X25519
`
	var got bytes.Buffer
	if err := o.write(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("the report is\n%s\nwant\n%s", got.String(), want)
	}

	o.Measurements = append(o.Measurements, &measurement{Test: "slow", Peer: "wasm", Round: 3, Error: "it fell over"})
	got.Reset()
	if err := o.write(&got); err == nil || !strings.Contains(got.String(), "- slow, wasm: it fell over\n") {
		t.Errorf("a failed measurement is reported as %v", err)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.values, got, test.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("nothing has a median")
	}
}

// TestOrder holds that peers take turns, and who takes part in what.
func TestOrder(t *testing.T) {
	a, b := &peer{name: "a", kind: kindWASM}, &peer{name: "b", kind: kindStunnel}
	n, g := &peer{name: "n", kind: kindNginx, reference: true}, &peer{name: "g", kind: kindGuest}
	all := []*peer{a, b, n, g}
	server := &test{job: job{role: roleServer}}
	for _, turn := range []struct {
		test          *test
		rounds, round int
		want          []*peer
	}{
		{server, 4, 0, []*peer{a, b, n}},
		{server, 4, 1, []*peer{b, n, a}},
		{server, 4, 2, []*peer{a, b}},
		{server, 4, 4, nil},
		{server, 1, 0, []*peer{a, b, n}},
		{&test{job: job{protocol: "smtp"}}, 4, 0, []*peer{a, b}},
		{&test{job: job{protocol: "smtp"}, pair: true, share: 4}, 4, 7, []*peer{g}},
		{&test{job: job{role: roleServer}, share: 1}, 4, 2, nil},
		{&test{job: job{role: roleServer}, fixed: 5}, 1, 4, []*peer{b, n, a}},
	} {
		if got := turn.test.order(all, turn.rounds, turn.round); !slices.Equal(got, turn.want) {
			t.Errorf("round %d of %d has %d peers, want %d", turn.round, turn.rounds, len(got), len(turn.want))
		}
	}
}
