package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Modes of the load generator.
const (
	modeHandshakes = "hs"   // connect, handshake, a byte there and back, close
	modeBulk       = "bulk" // streams in one direction; a unit is 1e6 bytes
	modePing       = "ping" // 64 bytes there and back
	modeIdle       = "idle" // connections that do nothing after one byte
	modeHeld       = "held" // connections that stop in the middle of the negotiation
)

// patience bounds everything that a client waits for, but for bulk, ping and idle
// connections that have begun.
const patience = 10 * time.Second

// A load is an order to the load generator, a process of its own, so that the
// proxy's CPU can be told from the clients'.
type load struct {
	Mode      string
	Addr      string        // the proxy
	PID       int           // of the proxy
	TLS       bool          // speak TLS to the proxy; else it speaks TLS to the backend
	Version   string        // "1.2", or empty for TLS 1.3
	Resume    bool          // the clients resume sessions
	Cert      string        // file of their certificate and its key; empty: they have none
	Negotiate string        // the protocol that is spoken before or inside TLS; empty: none
	Target    string        // of a protocol whose clients choose one
	Conns     int           // connections at once
	Up        bool          // modeBulk: send, not receive
	Time      time.Duration // measured, after an eighth of it for warming up
}

// A result is what the load generator measured.
type result struct {
	Units      float64
	Seconds    float64
	CPU        float64 // seconds of the proxy
	P50, P99   float64 `json:",omitempty"` // microseconds; handshakes and pings
	KiB        float64 `json:",omitempty"` // resident memory for each idle connection
	Errors     int64   `json:",omitempty"`
	FirstError string  `json:",omitempty"`
	Resumed    float64 // share of the handshakes
	Negotiated string  // by the clients, or in front of the backend by the proxy
}

// A generator carries out one load.
type generator struct {
	load
	tls *tls.Config

	units      atomic.Int64  // done so far; bytes in modeBulk
	began      chan struct{} // closed with the first unit
	handshakes atomic.Int64
	resumed    atomic.Int64
	errors     atomic.Int64
	stop       atomic.Bool // time is up: errors are no errors any more

	mu       sync.Mutex
	firstErr error
	state    *tls.ConnectionState
	lats     []time.Duration
}

// runLoad takes a load in JSON and writes a result in JSON.
func runLoad(order string) error {
	g := &generator{began: make(chan struct{})}
	if err := json.Unmarshal([]byte(order), &g.load); err != nil {
		return err
	}
	if err := g.configure(); err != nil {
		return err
	}
	modes := map[string]func() (*result, error){
		modeHandshakes: g.runHandshakes, modeBulk: g.runBulk, modePing: g.runPing,
		modeIdle: func() (*result, error) { return g.runIdle(g.idle) },
		modeHeld: func() (*result, error) { return g.runIdle(g.hold) },
	}
	mode, ok := modes[g.Mode]
	if !ok {
		return fmt.Errorf("no mode %q", g.Mode)
	}
	r, err := mode()
	if err != nil {
		return err
	}
	if err := g.finish(r); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// configure makes all clients ask for the same cryptography, whatever the proxy
// would rather have: X25519, and AES-128-GCM where the client has a say.
func (g *generator) configure() error {
	g.tls = &tls.Config{
		InsecureSkipVerify: true, // the certificate's check is no work of the proxy's
		ServerName:         "localhost",
		MinVersion:         tls.VersionTLS13,
		CurvePreferences:   []tls.CurveID{tls.X25519},

		DynamicRecordSizingDisabled: true,
	}
	if g.Version == "1.2" {
		g.tls.MinVersion, g.tls.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		g.tls.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		// OpenSSL wants the certificate's own curve offered, too.
		g.tls.CurvePreferences = append(g.tls.CurvePreferences, tls.CurveP256)
	}
	if g.Resume {
		g.tls.ClientSessionCache = tls.NewLRUClientSessionCache(hsClients)
	}
	if g.Cert != "" {
		c, err := tls.LoadX509KeyPair(g.Cert, g.Cert)
		if err != nil {
			return err
		}
		g.tls.Certificates = []tls.Certificate{c}
	}
	return nil
}

// open connects to the proxy and makes the connection ready for the backend.
func (g *generator) open() (net.Conn, error) {
	c, err := net.DialTimeout("tcp", g.Addr, patience)
	if err != nil {
		return nil, err
	}
	ready, err := g.prepare(c)
	if err != nil {
		c.Close()
		return nil, err
	}
	return ready, nil
}

func (g *generator) prepare(c net.Conn) (net.Conn, error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	spoken := protocols[g.Negotiate]
	if g.Mode == modeHeld && spoken.greeting != "" {
		// The greeting has come through: the negotiation has both sides.
		_, err := c.Read(make([]byte, smallBuffer))
		return c, err
	}
	if g.Mode == modeHeld && spoken.inside == nil {
		return c, nil
	}
	if spoken.before != nil {
		if err := spoken.before(c); err != nil {
			return nil, err
		}
	}
	if !g.TLS {
		return c, nil
	}
	t := tls.Client(c, g.tls)
	if err := t.Handshake(); err != nil {
		return nil, err
	}
	s := t.ConnectionState()
	g.handshakes.Add(1)
	if s.DidResume {
		g.resumed.Add(1)
	}
	g.mu.Lock()
	if g.state == nil {
		g.state = &s
	}
	g.mu.Unlock()
	if spoken.inside != nil && g.Mode != modeHeld {
		if err := spoken.inside(t, g.Target); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// echo sends a byte and waits for it, so that the whole way is known to work.
func echo(c net.Conn) error {
	b := []byte{askEcho}
	if _, err := c.Write(b); err != nil {
		return err
	}
	_, err := io.ReadFull(c, b)
	return err
}

// done counts units of work.
func (g *generator) done(n int) {
	if n > 0 && g.units.Add(int64(n)) == int64(n) {
		close(g.began)
	}
}

// failed notes an error, unless it comes from the end of the test.
func (g *generator) failed(err error) {
	if g.stop.Load() {
		return
	}
	g.errors.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.firstErr == nil {
		g.firstErr = err
	}
}

func (g *generator) firstError() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.firstErr
}

// window lets the load run warm and then measures for its time, or for several times
// that if nothing is done in one.
func (g *generator) window(scale float64) (*result, error) {
	defer g.stop.Store(true)
	select {
	case <-g.began:
	case <-time.After(patience):
		return nil, errors.Join(errors.New("nothing was done"), g.firstError())
	}
	time.Sleep(g.Time / 8)
	cpu, err := cpuTime(g.PID)
	if err != nil {
		return nil, err
	}
	units, start := g.units.Load(), time.Now()
	for done := false; !done; done = g.units.Load() > units || time.Since(start) >= patience {
		time.Sleep(g.Time)
	}
	r := &result{Units: float64(g.units.Load()-units) / scale, Seconds: time.Since(start).Seconds()}
	end, err := cpuTime(g.PID)
	r.CPU = (end - cpu).Seconds()
	return r, err
}

// finish fills in what all modes report, and refuses a result that is none.
func (g *generator) finish(r *result) error {
	r.Errors = g.errors.Load()
	err := g.firstError()
	if err != nil {
		r.FirstError = err.Error()
	}
	if r.Units <= 0 {
		return errors.Join(errors.New("nothing was done"), err)
	}
	if n := len(g.lats); n > 0 {
		slices.Sort(g.lats)
		r.P50, r.P99 = float64(g.lats[n/2])/1e3, float64(g.lats[n*99/100])/1e3
	}
	if n := g.handshakes.Load(); n > 0 {
		r.Resumed = float64(g.resumed.Load()) / float64(n)
	}
	if g.state != nil {
		r.Negotiated = negotiated(*g.state)
		return nil
	}
	if g.Mode == modeHeld {
		return nil
	}
	r.Negotiated, err = g.askBackend()
	return err
}

// askBackend asks what the proxy negotiated with the backend, on the second of two
// connections: the first has given the proxy a session at the latest.
func (g *generator) askBackend() (said string, err error) {
	for range 2 {
		c, err := g.open()
		if err != nil {
			return "", err
		}
		if _, err = c.Write([]byte{askTLS}); err == nil {
			said, err = bufio.NewReader(c).ReadString('\n')
		}
		c.Close()
		if err != nil {
			return "", fmt.Errorf("asking the backend: %w", err)
		}
	}
	return strings.TrimSpace(said), nil
}
