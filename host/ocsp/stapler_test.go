package ocsp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestStaple has a responder give answers one after the other, and what is stapled after each.
func TestStaple(t *testing.T) {
	p := newPKI(t)
	now := noon
	var answer []byte
	f := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) })
	s := NewStapler(p.leaf.cert, p.middle.cert, config.OCSP{URL: f.URL, Timeout: time.Minute})
	s.now = func() time.Time { return now }
	if s.Staple() != nil {
		t.Error("a response before any came")
	}
	good := p.newReply(nil).make(t)
	gone := p.newReply(func(r *reply) { r.says = Revoked }).make(t)
	timeless := p.newReply(func(r *reply) { r.this, r.next = noon, time.Time{} }).make(t)
	for _, c := range []struct {
		name         string
		answer, want []byte
		again        time.Duration
	}{
		{"good", good, good, 30 * time.Minute},
		{"unknown", p.newReply(func(r *reply) { r.says = Unknown }).make(t), good, time.Minute},
		{"nothing", nil, good, time.Minute},
		{"by a sibling", p.newReply(func(r *reply) { r.by = p.sibling; r.certs = []*party{p.sibling} }).make(t), good, time.Minute},
		{"revoked", gone, gone, 30 * time.Minute},
		{"timeless", timeless, timeless, time.Minute},
	} {
		answer = c.answer
		if again := s.renew(t.Context(), nil); again != c.again || string(s.Staple()) != string(c.want) {
			t.Errorf("%s: again after %v, staples %d bytes", c.name, again, len(s.Staple()))
		}
	}
	now = noon.Add(time.Hour)
	if s.Staple() != nil {
		t.Error("a timeless response is stapled after an hour")
	}
	now, answer = noon, good
	s.renew(t.Context(), nil)
	now = noon.Add(time.Hour)
	if s.Staple() != nil {
		t.Error("an expired response is stapled")
	}
}

// TestStaplerRuns has the clock of a responder that is away at times.
func TestStaplerRuns(t *testing.T) {
	p := newPKI(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := NewStapler(p.leaf.cert, p.middle.cert, config.OCSP{URL: "http://responder.example"})
		var at []time.Duration
		s.ask = func(context.Context, *url.URL) (*Answer, error) {
			at = append(at, time.Since(start))
			switch len(at) {
			case 1, 3:
				return nil, errors.New("away")
			case 4:
				panic("no")
			case 6:
				return &Answer{Status: Good, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(7 * 24 * time.Hour)}, nil
			}
			return &Answer{Status: Good, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(20 * time.Minute)}, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			s.Run(ctx, nil)
			close(done)
		}()
		time.Sleep(90 * time.Minute)
		cancel()
		<-done
		// Away; good for 20 minutes; away; a fault; good for 20 minutes; good for a week.
		want := []time.Duration{0, 1, 11, 12, 13, 23, 83}
		if len(at) != len(want) {
			t.Fatalf("asked at %v", at)
		}
		for i := range want {
			if at[i] != want[i]*time.Minute {
				t.Errorf("asked at %v", at)
			}
		}
	})
}

// TestWhoIsAskedForStaples has certificates with and without responders.
func TestWhoIsAskedForStaples(t *testing.T) {
	p := newPKI(t)
	named := issue(t, "named", p.middle, names("http://127.0.0.1/a", "ldap://127.0.0.1/"))
	for _, c := range []struct {
		name string
		leaf *party
		url  string
		want string
	}{
		{"nobody", p.leaf, "", ""},
		{"configured", p.leaf, "http://x/", "http://x/ "},
		{"named", named, "", "http://127.0.0.1/a "},
		{"both", named, "http://x/", "http://127.0.0.1/a http://x/ "},
	} {
		s := NewStapler(c.leaf.cert, p.middle.cert, config.OCSP{URL: c.url})
		got := ""
		if s != nil {
			for _, u := range s.urls {
				got += u.String() + " "
			}
		}
		if got != c.want || (s == nil) != (c.want == "") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
