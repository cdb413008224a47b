package ocsp

import (
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestOneQuestion has many connections ask the same at once.
func TestOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		release := make(chan struct{})
		asked := 0
		fetch := func(context.Context) (*Answer, error) {
			asked++
			<-release
			return &Answer{Status: Good, NextUpdate: noon.Add(time.Hour)}, nil
		}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if a, err := c.ask(t.Context(), key{source: "1"}, atNoon, fetch); err != nil || a.Status != Good {
					t.Errorf("%+v, %v", a, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if asked != 1 || len(c.flights) != 0 {
			t.Errorf("asked %d times, %d questions left", asked, len(c.flights))
		}
	})
}

// TestWhoBeganLeaves has the connection end that began a question, while another waits:
// that one gets its answer. When nobody waits, the question ends, and whoever comes next
// asks anew.
func TestWhoBeganLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		release := make(chan struct{})
		ended := 0
		fetch := func(ctx context.Context) (*Answer, error) {
			select {
			case <-release:
				return &Answer{Status: Good, NextUpdate: noon.Add(time.Hour)}, nil
			case <-ctx.Done():
				ended++
				return nil, ctx.Err()
			}
		}
		k := key{source: "1"}
		first, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.ask(first, k, atNoon, fetch); !errors.Is(err, context.Canceled) {
				t.Errorf("the first gets %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if a, err := c.ask(t.Context(), k, atNoon, fetch); err != nil || a.Status != Good {
				t.Errorf("the second gets %+v, %v", a, err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		if ended != 0 {
			t.Error("the question ended with who began it")
		}
		close(release)
		wg.Wait()

		release = make(chan struct{})
		alone, leave := context.WithCancel(t.Context())
		wg.Go(func() { c.ask(alone, key{source: "2"}, atNoon, fetch) })
		synctest.Wait()
		leave()
		wg.Wait()
		synctest.Wait()
		if ended != 1 || len(c.flights) != 0 {
			t.Errorf("%d questions ended, %d are left", ended, len(c.flights))
		}
	})
}

// TestFault has a question panic.
func TestFault(t *testing.T) {
	var c cache
	_, err := c.ask(t.Context(), key{}, atNoon, func(context.Context) (*Answer, error) { panic("no") })
	if err == nil || err.Error() != "fault: no" || len(c.flights) != 0 {
		t.Errorf("%v, %d questions left", err, len(c.flights))
	}
}

// TestKept has what is kept, and until when.
func TestKept(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer Answer
		after  time.Duration
		kept   bool
	}{
		{"good", Answer{Status: Good, NextUpdate: noon.Add(time.Hour)}, time.Hour - 1, true},
		{"good, later", Answer{Status: Good, NextUpdate: noon.Add(time.Hour)}, time.Hour, false},
		{"revoked", Answer{Status: Revoked, NextUpdate: noon.Add(time.Hour)}, 0, true},
		{"unknown", Answer{Status: Unknown, NextUpdate: noon.Add(time.Hour)}, 0, false},
		{"no nextUpdate", Answer{Status: Good}, 0, false},
		{"expired within the slack", Answer{Status: Good, NextUpdate: noon.Add(-time.Second)}, 0, false},
	} {
		var k cache
		k.put(key{source: "1"}, &c.answer, noon)
		if got := k.get(key{source: "1"}, noon.Add(c.after)) != nil; got != c.kept {
			t.Errorf("%s: kept %v", c.name, got)
		}
		if n, _ := k.kept.Len(); !c.kept && n != 0 {
			t.Errorf("%s: takes place", c.name)
		}
	}
}

// TestBounded has more answers than are kept: those that are used stay.
func TestBounded(t *testing.T) {
	var c cache
	a := &Answer{Status: Good, NextUpdate: noon.Add(time.Hour)}
	used := key{source: "used"}
	c.put(used, a, noon)
	for i := range int64(3 * maxAnswers) {
		c.put(key{source: big.NewInt(i).String()}, a, noon)
		c.get(used, noon)
	}
	if n, _ := c.kept.Len(); n != maxAnswers || c.get(used, noon) == nil {
		t.Errorf("%d answers, the used one %v", n, c.get(used, noon))
	}
}

// TestCached has a second connection ask nobody, unless it is about another certificate, CA
// or responder.
func TestCached(t *testing.T) {
	p := newPKI(t)
	twin := issue(t, "Middle", p.root, ca)
	under := issue(t, "leaf", twin, func(c *x509.Certificate) { c.SerialNumber = p.leaf.cert.SerialNumber })
	f := serve(t, always(p.newReply(nil).make(t)))
	k := checker(config.OCSP{URL: f.URL, Require: true})
	for range 3 {
		if err := k.Check(t.Context(), []*x509.Certificate{p.leaf.cert, p.middle.cert}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if f.asked.Load() != 1 {
		t.Errorf("asked %d times", f.asked.Load())
	}
	if got := reason(k.Check(t.Context(), []*x509.Certificate{under.cert, twin.cert}, nil, nil)); got != unclear || f.asked.Load() != 2 {
		t.Errorf("the same serial of another CA: %q, asked %d times", got, f.asked.Load())
	}
	k.now = func() time.Time { return noon.Add(2 * time.Hour) }
	if got := reason(k.Check(t.Context(), []*x509.Certificate{p.leaf.cert, p.middle.cert}, nil, nil)); got != unclear || f.asked.Load() != 3 {
		t.Errorf("after nextUpdate: %q, asked %d times", got, f.asked.Load())
	}
}

// TestStapleCached has the same staple come twice: its signature is looked at once, and
// never for another certificate.
func TestStapleCached(t *testing.T) {
	p := newPKI(t)
	staple := p.newReply(nil).make(t)
	k := checker(config.OCSP{Require: true})
	for range 2 {
		if err := k.Check(t.Context(), []*x509.Certificate{p.leaf.cert, p.middle.cert}, staple, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := k.answers.kept.Len(); n != 1 {
		t.Errorf("%d answers are kept", n)
	}
	f := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	var err error
	k.conf.URL = f.URL
	if k.url, err = config.ResponderURL(f.URL); err != nil {
		t.Fatal(err)
	}
	if got := reason(k.Check(t.Context(), []*x509.Certificate{p.sibling.cert, p.middle.cert}, staple, nil)); got != unclear {
		t.Errorf("another certificate: %q", got)
	}
}

// BenchmarkCached is what a handshake pays for an answer that is kept, of one certificate
// below the anchor and of two.
func BenchmarkCached(b *testing.B) {
	p := newPKI(b)
	middle := p.newReply(func(r *reply) { r.by, r.issuer, r.serial = p.root, p.root.cert, p.middle.cert.SerialNumber }).make(b)
	leaf := p.newReply(nil).make(b)
	staple := p.newReply(func(r *reply) { r.by = p.delegate; r.certs = []*party{p.delegate} }).make(b)
	var answers [][]byte
	f := serve(b, func(w http.ResponseWriter, _ *http.Request) { w.Write(answers[0]); answers = answers[1:] })
	for _, c := range []struct {
		name    string
		conf    config.OCSP
		chain   []*x509.Certificate
		staple  []byte
		answers [][]byte
	}{
		{"two", config.OCSP{URL: f.URL, Require: true}, p.chain(), nil, [][]byte{middle, leaf}},
		{"one", config.OCSP{URL: f.URL, Require: true}, p.chain()[:2], nil, [][]byte{leaf}},
		{"staple", config.OCSP{Require: true}, p.chain()[:2], staple, nil},
		{"nothing", config.OCSP{Require: true}, p.chain(), nil, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			k := checker(c.conf)
			k.now = func() time.Time { return noon.Add(time.Since(time.Now())) } // for what it costs
			answers = c.answers
			if err := k.Check(b.Context(), c.chain, c.staple, nil); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := k.Check(b.Context(), c.chain, c.staple, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
