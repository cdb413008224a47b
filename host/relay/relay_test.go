package relay

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// versions runs a test for both protocol versions and both roles.
func versions(t *testing.T, f func(t *testing.T, s setup)) {
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, client := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s client=%v", tls.VersionName(v), client), func(t *testing.T) {
				f(t, setup{client: client, peer: &tls.Config{MaxVersion: v}})
			})
		}
	}
}

func TestHalfCloseFromThePlainSide(t *testing.T) {
	versions(t, func(t *testing.T, s setup) {
		r := s.start(t)
		send(t, r.plain, "question")
		r.plain.(*net.TCPConn).CloseWrite()
		want(t, r.peer, "question")
		wantEOF(t, r.peer) // close_notify
		send(t, r.peer, "answer after the end")
		want(t, r.plain, "answer after the end")
		r.peer.CloseWrite()
		wantEOF(t, r.plain)
		if res := r.end(t); res != (Result{TLS: Closed, Plain: Closed}) {
			t.Errorf("ended with %+v", res)
		}
		r.counts(t, 8, 20)
	})
}

func TestHalfCloseFromTheTLSSide(t *testing.T) {
	versions(t, func(t *testing.T, s setup) {
		r := s.start(t)
		send(t, r.peer, "question")
		r.peer.CloseWrite()
		want(t, r.plain, "question")
		wantEOF(t, r.plain) // FIN
		send(t, r.plain, "answer after the end")
		want(t, r.peer, "answer after the end")
		r.plain.Close()
		wantEOF(t, r.peer)
		if res := r.end(t); res != (Result{TLS: Closed, Plain: Closed}) {
			t.Errorf("ended with %+v", res)
		}
		r.counts(t, 20, 8)
	})
}

func TestLeftBytesGoFirst(t *testing.T) {
	r := setup{toTLS: "250 left\r\n", toSock: "EHLO left\r\n"}.start(t)
	send(t, r.plain, "later")
	send(t, r.peer, "LATER")
	want(t, r.peer, "250 left\r\nlater")
	want(t, r.plain, "EHLO left\r\nLATER")
	r.plain.Close()
	r.peer.Close()
	r.end(t)
	r.counts(t, 15, 16)
}

func TestTruncationIsToldFromClose(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  func(r *rig)
		want End
		err  bool
	}{
		{"close_notify, then FIN", func(r *rig) { r.peer.CloseWrite(); r.wire.Close() }, Closed, false},
		{"FIN at a record's end", func(r *rig) { r.wire.(*net.TCPConn).CloseWrite() }, Truncated, false},
		{"FIN within a header", func(r *rig) { r.wire.Write([]byte{23, 3, 3}); r.wire.Close() }, Truncated, false},
		{"FIN within a record", func(r *rig) { r.wire.Write([]byte{23, 3, 3, 0, 40, 1, 2}); r.wire.Close() }, Failed, true},
		{"a record that is forged", func(r *rig) { r.wire.Write([]byte(record(40, 40))) }, Failed, true},
		{"a record too long", func(r *rig) { r.wire.Write([]byte(record(0xffff, maxRecord))) }, Failed, true},
		{"reset", func(r *rig) { r.wire.(*net.TCPConn).SetLinger(0); r.wire.Close() }, Failed, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := setup{}.start(t)
			send(t, r.peer, "before the end")
			want(t, r.plain, "before the end")
			c.cut(r)
			if c.want == Closed {
				wantEOF(t, r.plain)
				r.plain.Close()
			}
			res := r.end(t)
			if res.TLS != c.want || res.Err() != c.err {
				t.Errorf("ended with %+v, want the TLS side %d", res, c.want)
			}
			r.counts(t, 0, 14)
			switch n, err := r.plain.Read(make([]byte, 1)); {
			case c.err && err == io.EOF, !c.err && c.want != Closed && err != io.EOF:
				t.Errorf("the plain peer read %d, %v", n, err)
			}
		})
	}
}

// What came before a cut must still arrive, even when both are read at once.
func TestBytesBeforeATruncationArrive(t *testing.T) {
	r := setup{}.start(t)
	text := strings.Repeat("0123456789", 100_000)
	send(t, r.peer, text)
	r.wire.(*net.TCPConn).CloseWrite()
	want(t, r.plain, text)
	wantEOF(t, r.plain)
	if res := r.end(t); res.TLS != Truncated {
		t.Errorf("ended with %+v", res)
	}
	r.counts(t, 0, int64(len(text)))
}

func TestAlertIsToldFromTheSocketsErrors(t *testing.T) {
	r := setup{}.start(t)
	r.wire.Write([]byte(record(40, 40)))
	res := r.end(t)
	if !IsAlert(res.TLSErr) {
		t.Errorf("a forged record: %v is not taken for an alert", res.TLSErr)
	}
	var alert tls.AlertError
	r.peer.SetDeadline(time.Now().Add(testTime))
	if _, err := r.peer.Read(make([]byte, 1)); err == nil {
		t.Errorf("the peer got %v", alert)
	}
	for _, err := range []error{
		nil, io.EOF, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded, net.ErrClosed, io.ErrClosedPipe, context.Canceled,
		&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		fmt.Errorf("x: %w", io.ErrUnexpectedEOF),
	} {
		if IsAlert(err) {
			t.Errorf("%v is taken for an alert", err)
		}
	}
	for _, err := range []error{
		tls.RecordHeaderError{Msg: "x"}, errors.New("tls: no cipher suite supported by both client and server"),
		&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")},
	} {
		if !IsAlert(err) {
			t.Errorf("%v is not taken for an alert", err)
		}
	}
}

func TestPlainResetEndsBoth(t *testing.T) {
	r := setup{}.start(t)
	r.plain.(*net.TCPConn).SetLinger(0)
	r.plain.Close()
	res := r.end(t)
	if res.Plain != Failed || !errors.Is(res.PlainErr, syscall.ECONNRESET) || res.TLS != Open {
		t.Errorf("ended with %+v", res)
	}
	if _, err := r.peer.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the TLS peer read %v, want a reset", err)
	}
}

// writeUntilStuck writes until the peer takes no more.
func writeUntilStuck(t *testing.T, c net.Conn) int {
	t.Helper()
	n := 0
	for {
		c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		m, err := c.Write(make([]byte, BufferSize))
		n += m
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestStopEndsARelayAtOnce(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		r := setup{}.start(t)
		r.Stop()
		if res := r.end(t); res != (Result{Canceled: true}) {
			t.Errorf("ended with %+v", res)
		}
	})
	t.Run("before it runs", func(t *testing.T) {
		r := setup{}
		a, b := testpeer.Pair(t)
		c, _ := testpeer.Pair(t)
		under := NewSocket(b)
		under.Frame()
		go func() { tls.Client(a, r.config(t, nil)).Handshake() }()
		s := tls.Server(under, r.config(t, nil))
		if err := s.Handshake(); err != nil {
			t.Fatal(err)
		}
		relay := &Relay{TLS: s, Under: under, Plain: NewSocket(c), Options: Options{time.Hour, time.Hour}, Counters: &Counters{}}
		relay.Stop()
		if res := relay.Run(); res != (Result{Canceled: true}) {
			t.Errorf("ended with %+v", res)
		}
	})
	t.Run("blocked in both writes", func(t *testing.T) {
		r := setup{}.start(t)
		writeUntilStuck(t, r.plain)
		writeUntilStuck(t, r.peer)
		r.Stop()
		if res := r.end(t); res != (Result{Canceled: true}) {
			t.Errorf("ended with %+v", res)
		}
	})
}

// transfer sends size pseudo-random bytes and gives their hash.
func transfer(w io.Writer, seed uint64, size int) ([32]byte, error) {
	src := rand.NewChaCha8([32]byte{byte(seed)})
	h := sha256.New()
	_, err := io.CopyN(io.MultiWriter(w, h), src, int64(size))
	return [32]byte(h.Sum(nil)), err
}

// A slow reads little at a time, and lets others run in between.
type slow struct{ io.Reader }

func (s slow) Read(p []byte) (int, error) {
	for range 20 {
		runtime.Gosched()
	}
	return s.Reader.Read(p[:min(len(p), 3000)])
}

func TestLargeTransfersBothWaysAtOnce(t *testing.T) {
	const size = 8 << 20
	versions(t, func(t *testing.T, s setup) {
		r := s.start(t)
		type sum struct {
			hash [32]byte
			n    int64
			err  error
		}
		var sent, got [2]sum
		var wg sync.WaitGroup
		for i, side := range []struct {
			io.ReadWriter
			close func() error
		}{{r.peer, r.peer.CloseWrite}, {r.plain, r.plain.(*net.TCPConn).CloseWrite}} {
			wg.Go(func() {
				sent[i].hash, sent[i].err = transfer(side, uint64(i), size)
				side.close()
			})
			wg.Go(func() {
				h := sha256.New()
				reader := io.Reader(side)
				if i == 0 {
					reader = slow{side}
				}
				got[1-i].n, got[1-i].err = io.Copy(h, reader)
				got[1-i].hash = [32]byte(h.Sum(nil))
			})
		}
		wg.Wait()
		for i := range sent {
			if sent[i].err != nil || got[i].err != nil || got[i].n != size || got[i].hash != sent[i].hash {
				t.Errorf("direction %d: sent %v, got %d bytes of %d, %v, equal %v", i, sent[i].err, got[i].n, size, got[i].err, got[i].hash == sent[i].hash)
			}
		}
		if res := r.end(t); res != (Result{TLS: Closed, Plain: Closed}) {
			t.Errorf("ended with %+v", res)
		}
		r.counts(t, size, size)
	})
}

// live is what the heap holds once everything free is freed.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // sync.Pool keeps what it holds through one collection
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// exchange sends a text both ways between two streams and what joins them.
func exchange(t *testing.T, a, b io.ReadWriter, text string) {
	t.Helper()
	go io.WriteString(a, text)
	want(t, b, text)
	go io.WriteString(b, text)
	want(t, a, text)
}

// An idle relay holds no buffer, whatever it has moved. What crypto/tls keeps is
// measured by connections without a relay.
func TestIdleRelaysHoldNoBuffers(t *testing.T) {
	const relays = 64
	text := strings.Repeat("x", 2*BufferSize)
	s := setup{}
	conf := s.config(t, nil)
	conf.SessionTicketsDisabled = true

	before := live()
	var pairs []*tls.Conn
	for range relays {
		a, b := testpeer.Pair(t)
		pairs = append(pairs, tls.Client(a, conf), tls.Server(b, conf))
		go pairs[len(pairs)-2].Handshake()
		if err := pairs[len(pairs)-1].Handshake(); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		exchange(t, pairs[i], pairs[i+1], text)
	}
	control := live() - before
	runtime.KeepAlive(pairs)
	pairs = nil

	before = live()
	var rigs []*rig
	for range relays {
		rigs = append(rigs, setup{own: conf, peer: conf}.start(t))
	}
	for _, r := range rigs {
		exchange(t, r.plain, r.peer, text)
	}
	// Half a buffer each: crypto/tls does not grow its own alike in both cases. The
	// goroutines of the last exchange may still be on their way to sleep.
	const allowed = relays * BufferSize / 2
	var held int64
	for deadline := time.Now().Add(testTime); ; runtime.Gosched() {
		if held = live() - before - control; held < allowed {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d idle relays hold %d bytes more than TLS alone", relays, held)
		}
	}
	t.Logf("an idle relay holds %d bytes beside %d of two crypto/tls ends", held/relays, control/relays)
	for _, r := range rigs {
		r.Stop()
		r.end(t)
	}
}
