//go:build unix

package service

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A peer whose handshake fails gets TLS's alert, which a reset would overtake.
func TestAlertsReachThePeer(t *testing.T) {
	for _, c := range []struct {
		name, conf string
		smtp       bool
		peer       func(b *bench) *tls.Config
		alert, log string
	}{
		{"no certificate", "requireCert = yes\nverifyChain = yes\nCAfile = {root}", false,
			func(*bench) *tls.Config { return &tls.Config{} },
			"certificate required", "peer did not return a certificate"},
		{"no certificate, TLS 1.2", "requireCert = yes\nverifyChain = yes\nCAfile = {root}", false,
			func(*bench) *tls.Config { return &tls.Config{MaxVersion: tls.VersionTLS12} },
			"handshake failure", "peer did not return a certificate"},
		{"a stranger's certificate", "requireCert = yes\nverifyChain = yes\nCAfile = {root}", false,
			func(b *bench) *tls.Config {
				pair := b.certs.Pair(b.t, b.certs.Stranger)
				return &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return &pair, nil // although its issuer is not asked for
				}}
			},
			"bad certificate", "SSL_accept: certificate verify failed"},
		{"an old version", "sslVersionMin = TLSv1.3", false,
			func(*bench) *tls.Config { return &tls.Config{MaxVersion: tls.VersionTLS12} },
			"protocol version", "client offered only unsupported versions"},
		{"an old version after STARTTLS", "sslVersionMin = TLSv1.3", true,
			func(*bench) *tls.Config { return &tls.Config{MaxVersion: tls.VersionTLS12} },
			"protocol version", "client offered only unsupported versions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			conf := c.conf + "\n" + section("x", "127.0.0.1:0", testpeer.Serve(t, mail))
			if c.smtp {
				conf += "protocol = smtp\n"
			}
			b.apply(conf)
			nc := call(t, b.addr("x"))
			if c.smtp {
				if err := talk(nc, "", "EHLO x", "STARTTLS"); err != nil {
					t.Fatal(err)
				}
			}
			peer := c.peer(b)
			peer.InsecureSkipVerify = true
			s := tls.Client(nc, peer)
			_, err := s.Read(make([]byte, 1)) // in TLS 1.3 the alert follows the client's Finished
			if err == nil || !strings.Contains(err.Error(), "remote error: tls: "+c.alert) {
				t.Errorf("the peer got %v, want the alert %q", err, c.alert)
			}
			b.waitLog(`Connection reset/closed: 0 byte\(s\) sent to TLS, 0 byte`, 1)
			b.waitLog(c.log, 1)
		})
	}
}

// What a failure looks like to either peer, and in the last line.
func TestEndsAndLastLines(t *testing.T) {
	isReset := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
	for _, c := range []struct {
		name, conf string
		backend    func(net.Conn)
		use        func(c *tls.Conn)
		reset      bool // the client reads one, not an end
		last       string
	}{
		{"backend refused", "", nil, func(*tls.Conn) {}, true, "Connection reset: 0 byte"},
		{"backend refused, reset = no", "reset = no", nil, func(*tls.Conn) {}, false, "Connection closed: 0 byte"},
		{"backend resets", "debug = info", func(c net.Conn) {
			io.ReadFull(c, make([]byte, 4))
			c.(*net.TCPConn).SetLinger(0)
		}, func(c *tls.Conn) { io.WriteString(c, "ping") }, true, `LOG6\[0\]: socket fd: Connection reset by peer \(\d+\)\n.*Connection reset: 0 byte\(s\) sent to TLS, 4 byte`},
		{"backend closes", "", testpeer.Say("hello"), func(c *tls.Conn) {
			io.ReadFull(c, make([]byte, 5))
			c.CloseWrite()
		}, false, `Connection closed: 5 byte\(s\) sent to TLS, 0 byte`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			target := closedPort(t)
			if c.backend != nil {
				target = testpeer.Serve(t, c.backend)
			}
			b.apply(c.conf + "\n" + section("x", "127.0.0.1:0", target))
			s := callTLS(t, b.addr("x"), nil)
			if err := s.Handshake(); err != nil {
				t.Fatal(err)
			}
			c.use(s)
			if _, err := s.Read(make([]byte, 1)); isReset(err) != c.reset {
				t.Errorf("the client read %v, want a reset: %v", err, c.reset)
			}
			b.waitLog(c.last, 1)
		})
	}
}

// intOption reads a socket option of a relay's socket.
func intOption(t *testing.T, s *relay.Socket, level, opt int) int {
	t.Helper()
	rc, err := s.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	rc.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), level, opt) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSocketOptionsOfConnections(t *testing.T) {
	echo := testpeer.Serve(t, testpeer.Echo)
	for _, c := range []struct {
		conf         string
		level, opt   int
		local, other int
	}{
		{"", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0, 0}, // Go's own defaults must not show
		{"", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1, 1},
		{"socket = l:SO_KEEPALIVE=yes", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1, 0},
		{"socket = r:SO_KEEPALIVE=1", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0, 1},
		{"socket = l:TCP_NODELAY=no", unix.IPPROTO_TCP, unix.TCP_NODELAY, 0, 1},
		{"socket = r:TCP_NODELAY=no", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1, 0},
		{"socket = a:SO_KEEPALIVE=yes", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1, 0}, // inherited
	} {
		t.Run(c.conf, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			b.apply(c.conf + "\n" + section("x", "127.0.0.1:0", echo))
			s := callTLS(t, b.addr("x"), nil)
			io.WriteString(s, "x")
			want(t, s, "x")
			b.srv.mu.Lock()
			defer b.srv.mu.Unlock()
			for conn := range b.srv.conns {
				if n := intOption(t, conn.accepted, c.level, c.opt); n != c.local {
					t.Errorf("the accepted socket has %d, want %d", n, c.local)
				}
				if n := intOption(t, conn.outgoing, c.level, c.opt); n != c.other {
					t.Errorf("the outgoing socket has %d, want %d", n, c.other)
				}
			}
		})
	}
}

// A session of one service is no use at another, whatever that one asks for.
func TestSessionsStayWithTheirService(t *testing.T) {
	b := newBench(t, logging.Debug)
	echo := testpeer.Serve(t, testpeer.Echo)
	b.apply("cert = {server}\n[open]\naccept = 127.0.0.1:0\nconnect = " + echo +
		"\n[closed]\nverifyChain = yes\nrequireCert = yes\nCAfile = {root}\naccept = 127.0.0.1:0\nconnect = " + echo + "\n")
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conf := &tls.Config{ServerName: "localhost", MaxVersion: v, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		for round := range 2 {
			s := callTLS(t, b.addr("open"), conf)
			io.WriteString(s, "x")
			want(t, s, "x")
			if got := s.ConnectionState().DidResume; got != (round == 1) {
				t.Errorf("round %d: resumed %v", round, got)
			}
			s.Close()
		}
		s := callTLS(t, b.addr("closed"), conf)
		if _, err := s.Read(make([]byte, 1)); err == nil || s.ConnectionState().DidResume {
			t.Errorf("a session without a certificate got in: %v", err)
		}
	}
}

// A slowDeadline lets everybody see its first deadline before the call returns.
type slowDeadline struct {
	net.Conn
	seen atomic.Bool
}

func (s *slowDeadline) SetDeadline(t time.Time) error {
	err := s.Conn.SetDeadline(t)
	if !s.seen.Swap(true) {
		synctest.Wait()
	}
	return err
}

// closeNotifier is the little of TLS that a relay without bytes uses.
type closeNotifier struct{ net.Conn }

func (closeNotifier) CloseWrite() error { return nil }

// A relay that is stopped tells of no error, however soon it notices.
func TestStoppedRelayIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, accepted := net.Pipe()
		outgoing, server := net.Pipe()
		for _, end := range []net.Conn{client, accepted, outgoing, server} {
			defer end.Close()
		}
		c := &connection{
			cancel:   func() {},
			accepted: relay.NewSocket(&slowDeadline{Conn: accepted}),
			outgoing: relay.NewSocket(outgoing),
		}
		r := &relay.Relay{
			TLS: closeNotifier{accepted}, Under: c.accepted, Plain: c.outgoing,
			Options: relay.Options{Idle: time.Hour}, Counters: &c.counters,
		}
		c.relay.Store(r)
		result := make(chan relay.Result, 1)
		go func() { result <- r.Run() }()
		synctest.Wait() // both directions wait for bytes
		c.stop()
		if got := <-result; got != (relay.Result{Canceled: true}) {
			t.Errorf("the relay's result is %+v", got)
		}
	})
}
