package main

import (
	"maps"
	"slices"
)

// A test is one figure: what runs against a proxy, and what the figure must be.
type test struct {
	name  string
	unit  string // what is counted
	job   job    // what the proxy is started for
	load  load   // what the load generator does; Mode empty: only the start is measured
	pair  bool   // only guest against native
	share int    // rounds in halves of -rounds: 2 is all, 1 half, 4 twice as many
	fixed int    // rounds whatever -rounds says; 0: none
	goal  *goal  // nil: no target
}

// A goal bounds a figure of the measured proxy.
type goal struct {
	limit float64
	ratio bool // of the ratio to the base proxy, not of the figure itself
}

// Figures that a test can have.
const (
	perUnit = "us of CPU" // proxy CPU for a unit of work, in microseconds
	perConn = "KiB"       // resident memory for an idle connection, or for one that negotiates
	toStart = "ms"        // from exec until a connection is accepted
)

// figure says what is measured of a test.
func (t *test) figure() string {
	switch t.load.Mode {
	case "":
		return toStart
	case modeIdle, modeHeld:
		return perConn
	}
	return perUnit
}

// startRounds is how often a start is measured: it is short, and varies.
const startRounds = 5

// idleConns is how many connections the idle test holds.
const idleConns = 2000

// heldConns is how many negotiations the held test has under way, and heldKiB the
// 150 kB that each of them may take.
const (
	heldConns = 500
	heldKiB   = 146
)

// hsClients is how many clients make handshakes at once.
const hsClients = 8

// tests lists all tests, in the order that they run and are reported.
func tests(idle int) []*test {
	hs := load{Mode: modeHandshakes, TLS: true, Conns: hsClients}
	resumed, tls12, plain := hs, hs, hs
	resumed.Resume = true
	tls12.Version = "1.2"
	plain.TLS = false
	server := job{role: roleServer, cert: certECDSA}
	client := job{role: roleClient, cert: certECDSA}
	mail := job{role: roleServer, cert: certECDSA, protocol: "smtp"}
	mutual := server
	mutual.mutual = true
	again := client
	again.resume = true

	all := []*test{
		{name: "smtp/start", unit: "start", job: mail, fixed: startRounds, goal: &goal{limit: 30}},
		{name: "server/hs/tls13/ecdsa/full", unit: "handshake", job: server, load: hs, goal: &goal{0.6, true}},
		{name: "server/hs/tls13/ecdsa/resumed", unit: "handshake", job: server, load: resumed},
		{name: "server/hs/tls13/ecdsa/mutual", unit: "handshake", job: mutual, load: hs},
		{name: "server/hs/tls12/ecdsa/full", unit: "handshake", job: server, load: tls12},
		{name: "server/hs/tls13/rsa/full", unit: "handshake", job: job{role: roleServer, cert: certRSA}, load: hs},
	}
	bulk := func(name string, of job, direction string, conns int, g *goal) {
		of.bulk = true
		all = append(all, &test{name: name, unit: "MB", job: of, goal: g,
			load: load{Mode: modeBulk, TLS: of.role != roleClient, Conns: conns, Up: direction == "up"}})
	}
	for _, direction := range []string{"down", "up"} {
		bulk("server/bulk/"+direction+"/1", server, direction, 1, &goal{0.9, true})
		bulk("server/bulk/"+direction+"/8", server, direction, 8, &goal{0.9, true})
	}
	all = append(all,
		&test{name: "server/ping/1", unit: "round trip", job: server, load: load{Mode: modePing, TLS: true, Conns: 1}},
		&test{name: "server/ping/64", unit: "round trip", job: server, load: load{Mode: modePing, TLS: true, Conns: 64}},
		&test{name: "server/idle", unit: "connection", job: server, share: 1,
			load: load{Mode: modeIdle, TLS: true, Conns: idle}, goal: &goal{limit: 40}},
		&test{name: "client/hs/tls13/ecdsa/full", unit: "handshake", job: client, load: plain},
		&test{name: "client/hs/tls13/ecdsa/resumed", unit: "handshake", job: again, load: plain},
	)
	for _, direction := range []string{"down", "up"} {
		bulk("client/bulk/"+direction+"/1", client, direction, 1, nil)
	}
	for _, name := range slices.Sorted(maps.Keys(protocols)) {
		of, session := server, hs
		of.protocol, session.Negotiate = name, name
		held := session
		held.Mode, held.Conns = modeHeld, heldConns
		all = append(all,
			&test{name: name + "/hs", unit: "session", job: of, load: session, goal: &goal{0.5, true}},
			// Ten per cent is little against this machine's noise: twice the rounds.
			&test{name: name + "/native", unit: "session", job: of, load: session, pair: true, share: 4, goal: &goal{1.1, true}},
			&test{name: name + "/held", unit: "negotiation", job: of, load: held, share: 1, goal: &goal{limit: heldKiB}},
		)
	}
	return all
}

// rounds is how many rounds a proxy has of a test. Proxies that no target names
// take part in half of them, which keeps the whole run under ten minutes.
func (t *test) rounds(rounds int, p *peer) int {
	if t.fixed > 0 {
		return t.fixed
	}
	share := t.share
	if share == 0 {
		share = 2
	}
	n := max(1, rounds*share/2)
	if p.reference {
		n = max(1, n/2)
	}
	return n
}

// does says whether a proxy takes part in a test at all.
func (t *test) does(p *peer) bool {
	if t.pair != (p.kind == kindGuest || p.kind == kindNative) {
		return false
	}
	return t.job.protocol == "" || p.kind != kindHAProxy && p.kind != kindNginx
}

// order lists the peers of a round. Each round begins with another one, so that
// none is always the first.
func (t *test) order(all []*peer, rounds, round int) []*peer {
	var these []*peer
	for _, p := range all {
		if t.does(p) && round < t.rounds(rounds, p) {
			these = append(these, p)
		}
	}
	if len(these) == 0 {
		return nil
	}
	first := round % len(these)
	return slices.Concat(these[first:], these[:first])
}
