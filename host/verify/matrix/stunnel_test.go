package matrix

import (
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// servicesEach is how many services one stunnel gets: it starts in their order, and two
// or more start side by side.
const servicesEach = 300

// A stunnel is the real program with a service for each of some runs.
type stunnel struct {
	*testpeer.Daemon
	addr map[string]string // by service
	back *backend
}

// A backend is a TLS server that presents to each service what its run has sent.
type backend struct {
	addr string
	runs map[string]*run
	done map[string]chan error // how the handshake with a service ended
}

// startStunnel gives each run a service. Its own certificate is own, a PEM file.
func startStunnel(t testing.TB, program, own string, rs []*run) *stunnel {
	t.Helper()
	back := startBackend(t, rs)
	var conf strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&conf, "[%s]\naccept = 127.0.0.1:0\ndebug = notice\nsslVersionMax = TLSv1.2\n%s", r.id, r.conf())
		if r.server {
			fmt.Fprintf(&conf, "client = yes\nconnect = %s\nsni = %s\n", back.addr, r.id)
		} else {
			fmt.Fprintf(&conf, "cert = %s\nconnect = %s\n", own, back.addr)
		}
	}
	s := &stunnel{testpeer.Start(t, program, conf.String()), map[string]string{}, back}
	bound := regexp.MustCompile(`Service \[(.*)\] \(FD=\d+\) bound to (.*)$`)
	for _, l := range s.Lines() {
		if m := bound.FindStringSubmatch(l); m != nil {
			s.addr[m[1]] = m[2]
		}
	}
	return s
}

func startBackend(t testing.TB, rs []*run) *backend {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{addr: ln.Addr().String(), runs: map[string]*run{}, done: map[string]chan error{}}
	for _, r := range rs {
		b.runs[r.id], b.done[r.id] = r, make(chan error, 1)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				b.serve(c)
			})
		}
	})
	return b
}

// serve makes the handshake with a service in client mode, which says in its SNI who it
// is. One in server mode, which has accepted its client, comes without TLS.
func (b *backend) serve(c net.Conn) {
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	var id string
	conn := tls.Server(c, &tls.Config{
		MaxVersion: tls.VersionTLS12,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			id = h.ServerName
			r := b.runs[id]
			if r == nil {
				return nil, fmt.Errorf("no run for %q", id)
			}
			return r.pair(), nil
		},
	})
	err := conn.Handshake()
	if done := b.done[id]; done != nil {
		done <- err
	}
}

// pair is what the peer presents, as it is.
func (r *run) pair() *tls.Certificate {
	pair := &tls.Certificate{}
	if len(r.sent) > 0 {
		pair.PrivateKey = r.sent[0].key.signer
	}
	for _, c := range r.sent {
		pair.Certificate = append(pair.Certificate, c.der)
	}
	return pair
}

// judge lets a peer meet the run's service. With TLS 1.2 a peer learns the verdict in its
// handshake, in either role.
func (s *stunnel) judge(r *run) verdict {
	c, err := net.DialTimeout("tcp", s.addr[r.id], testpeer.Patience)
	if err != nil {
		return verdict{reason: "no verdict: " + err.Error()}
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	if r.server {
		select {
		case err = <-s.back.done[r.id]:
		case <-time.After(testpeer.Patience):
			return verdict{reason: "no verdict: stunnel does not call"}
		}
	} else {
		err = tls.Client(c, &tls.Config{
			MaxVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return r.pair(), nil
			},
		}).Handshake()
	}
	if err == nil {
		return verdict{ok: true}
	}
	return verdict{reason: err.Error()}
}

// words gives what stunnel wrote about the certificates of each service.
func (s *stunnel) words() map[string][]string {
	line := regexp.MustCompile(`LOG\d\[(\d+)\]: (.*)$`)
	began := regexp.MustCompile(`^Service \[(.*)\] accepted connection from`)
	wanted := regexp.MustCompile(`^(CERT: .*|Rejected by .*|SSL_(?:accept|connect): .*|error queue: .*)`)
	service := map[string]string{}
	said := map[string][]string{}
	for _, l := range s.Lines() {
		m := line.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		if b := began.FindStringSubmatch(m[2]); b != nil {
			service[m[1]] = b[1]
		} else if w := wanted.FindStringSubmatch(m[2]); w != nil {
			id := service[m[1]]
			said[id] = append(said[id], w[1])
		}
	}
	return said
}
