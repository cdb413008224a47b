package relay

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// testTime bounds every wait in these tests; reaching it is a failure.
const testTime = time.Minute

// certificate makes a self-signed one for both purposes, with the given number of
// bytes of DNS names to make it large.
func certificate(t testing.TB, padding int) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-100 * 365 * 24 * time.Hour), // the clock of synctest starts in 2000
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	for n := 0; n < padding; n += 60 {
		tmpl.DNSNames = append(tmpl.DNSNames, string(bytes.Repeat([]byte("a"), 50))+".example")
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A rig is a running relay with a peer on either side.
type rig struct {
	*Relay
	peer  *tls.Conn // the TLS peer
	wire  net.Conn  // below peer
	plain net.Conn  // the plain peer
	ended chan Result
}

// A setup says how a rig is made; the zero value is a server's relay over TCP.
type setup struct {
	client        bool        // the relay is the TLS client
	own, peer     *tls.Config // nil: defaults
	options       Options
	toTLS, toSock string // what a negotiation left
	pipe          bool   // net.Pipe instead of TCP
	wrap          func(net.Conn) net.Conn
}

// config fills a TLS configuration up.
func (s *setup) config(t testing.TB, c *tls.Config) *tls.Config {
	if c == nil {
		c = &tls.Config{}
	}
	c = c.Clone()
	c.InsecureSkipVerify = true
	if c.ServerName == "" {
		c.ServerName = "localhost"
	}
	if s.pipe {
		c.SessionTicketsDisabled = true // a server would wait until its tickets are read
	}
	if c.Certificates == nil {
		c.Certificates = []tls.Certificate{certificate(t, 0)}
	}
	return c
}

// deaf is a pipe whose other end does not hear of a half-close.
type deaf struct{ net.Conn }

func (deaf) CloseWrite() error { return nil }

// pair is a connection of the kind that the setup asks for.
func (s *setup) pair(t testing.TB) (a, b net.Conn) {
	if s.pipe {
		a, b = net.Pipe()
		return deaf{a}, deaf{b}
	}
	return testpeer.Pair(t)
}

// start does the handshake and runs a relay.
func (s setup) start(t testing.TB) *rig {
	t.Helper()
	r := &rig{ended: make(chan Result, 1)}
	var below, plain net.Conn
	r.wire, below = s.pair(t)
	r.plain, plain = s.pair(t)
	if s.wrap != nil {
		r.wire = s.wrap(r.wire)
	}
	under := NewSocket(below)
	under.Frame()
	own := tls.Server
	peer := tls.Client
	if s.client {
		own, peer = peer, own
	}
	r.peer = peer(r.wire, s.config(t, s.peer))
	c := own(under, s.config(t, s.own))
	shaken := make(chan error, 1)
	go func() { shaken <- r.peer.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatalf("handshake: %v", err)
	}
	if err := <-shaken; err != nil {
		t.Fatalf("peer's handshake: %v", err)
	}
	below.SetDeadline(time.Time{})
	plain.SetDeadline(time.Time{})
	o := s.options
	if o.Idle == 0 {
		o.Idle = time.Hour
	}
	if o.Close == 0 {
		o.Close = time.Hour
	}
	r.Relay = &Relay{TLS: c, Under: under, Plain: NewSocket(plain), Options: o, Counters: &Counters{},
		ToTLS: []byte(s.toTLS), ToPlain: []byte(s.toSock)}
	go func() { r.ended <- r.Run() }()
	return r
}

// end waits for the relay and closes its sockets as a service does.
func (r *rig) end(t testing.TB) Result {
	t.Helper()
	select {
	case res := <-r.ended:
		if res.Err() {
			r.Under.Reset()
			r.Plain.Reset()
		} else {
			r.Under.Close()
			r.Plain.Close()
		}
		return res
	case <-time.After(testTime):
		t.Fatal("the relay does not end")
	}
	panic("not reached")
}

// counts checks the counters.
func (r *rig) counts(t testing.TB, toTLS, toSocket int64) {
	t.Helper()
	if got := r.Counters.ToTLS.Load(); got != toTLS {
		t.Errorf("%d bytes counted to TLS, want %d", got, toTLS)
	}
	if got := r.Counters.ToSocket.Load(); got != toSocket {
		t.Errorf("%d bytes counted to the socket, want %d", got, toSocket)
	}
}

// send writes all of a text or fails the test.
func send(t testing.TB, c io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("sending %.20q: %v", text, err)
	}
}

// want reads exactly a text.
func want(t testing.TB, c io.Reader, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("read %q and then %v, want %.20q", got[:n], err, text)
	}
	if string(got) != text {
		t.Fatalf("read %.40q, want %.40q", got, text)
	}
}

// wantEOF reads a clean end.
func wantEOF(t testing.TB, c io.Reader) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read %d bytes and %v, want the end", n, err)
	}
}
