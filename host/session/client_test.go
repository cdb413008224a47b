package session

import (
	"crypto/tls"
	"sync"
	"testing"
	"time"
)

// clientRig is a rig whose client keeps sessions in a Client.
func clientRig(t *testing.T, version uint16, c *Client, peer string) *rig {
	r := newRig(t, version)
	r.client.ClientSessionCache = c.Cache(peer)
	return r
}

func TestClientsSessions(t *testing.T) {
	for _, version := range both {
		var now clock
		g := storeWith(&now).Begin()
		c := g.Client(settings("x"))
		v := NewStore().Begin().Server(settings("x"))
		r := clientRig(t, version, c, "a")
		r.expect(v, false, "at first")
		for range 3 {
			r.expect(v, true, "at the same server")
		}
		r.client.ClientSessionCache = c.Cache("b")
		r.expect(v, false, "at another")
		r.client.ClientSessionCache = c.Cache("a")
		r.client.ServerName = "other"
		r.expect(v, false, "by another name")
		r.client.ServerName = "localhost"
		r.client.ClientSessionCache = g.Client(settings("y")).Cache("a")
		r.expect(v, false, "in another service")
		r.client.ClientSessionCache = c.Cache("a")
		now.ahead += 301 * time.Second
		r.expect(v, false, "after the timeout")
	}
}

func TestClientsSessionsAfterReload(t *testing.T) {
	for _, version := range both {
		store := NewStore()
		v := NewStore().Begin().Server(settings("x"))
		conf := settings("x")
		r := newRig(t, version)
		for _, round := range []struct {
			what string
			edit func()
			want bool
		}{
			{"at first", func() {}, false},
			{"after a reload", func() {}, true},
			{"with another certificate", func() { conf.Own = []tls.Certificate{certificate(t, 0)} }, false},
			{"after that", func() {}, true},
		} {
			round.edit()
			g := store.Begin()
			r.client.ClientSessionCache = g.Client(conf).Cache("a")
			g.Commit()
			r.expect(v, round.want, round.what)
		}
	}
}

// A session of TLS 1.3 is offered once, the newest first, and a few are kept.
func TestTicketsAreUsedOnce(t *testing.T) {
	c := NewStore().Begin().Client(settings("x"))
	v := NewStore().Begin().Server(settings("x"))
	r := newRig(t, tls.VersionTLS13)
	var given [][]byte
	for range maxOffers + 2 {
		r.client.ClientSessionCache = &lastSession{}
		r.expect(v, false, "at first")
		last := r.client.ClientSessionCache.(*lastSession)
		given = append(given, last.ticket())
		c.Cache("a").Put("n", last.last)
	}
	for i := range maxOffers {
		s, ok := c.Cache("a").Get("n")
		if !ok {
			t.Fatalf("%d tickets are kept, not %d", i, maxOffers)
		}
		if got, _, _ := s.ResumptionState(); string(got) != string(given[len(given)-1-i]) {
			t.Errorf("ticket %d is another", i)
		}
	}
	if _, ok := c.Cache("a").Get("n"); ok {
		t.Error("a ticket is offered twice, or too many are kept")
	}
	c.Cache("a").Put("n", nil) // of a peer without sessions
}

// No ticket is offered twice by connections that begin while others get new ones.
func TestTicketsAreUsedOnceAmongMany(t *testing.T) {
	cache := NewStore().Begin().Client(settings("x")).Cache("a")
	v := NewStore().Begin().Server(settings("x"))
	r := newRig(t, tls.VersionTLS13)
	r.expect(v, false, "at first")
	ticket, first, err := r.client.ClientSessionCache.(*lastSession).last.ResumptionState()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := first.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var offered sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5_000 {
				state, err := tls.ParseSessionState(encoded)
				if err != nil {
					t.Error(err)
					return
				}
				fresh, err := tls.NewResumptionState(ticket, state)
				if err != nil {
					t.Error(err)
					return
				}
				cache.Put("n", fresh)
				s, ok := cache.Get("n")
				if _, twice := offered.LoadOrStore(s, nil); ok && twice {
					t.Error("a ticket is offered twice")
					return
				}
			}
		})
	}
	wg.Wait()
}

// A renewed ticket of TLS 1.2 makes the session no younger.
func TestRenewedTickets(t *testing.T) {
	var now clock
	c := storeWith(&now).Begin().Client(settings("x"))
	v := NewStore().Begin().Server(settings("x"))
	r := newRig(t, tls.VersionTLS12)
	r.expect(v, false, "at first")
	session := r.client.ClientSessionCache.(*lastSession).last
	c.Cache("a").Put("n", session)
	now.ahead += 200 * time.Second
	c.Cache("a").Put("n", session)
	if _, ok := c.Cache("a").Get("n"); !ok {
		t.Error("it is gone")
	}
	now.ahead += 101 * time.Second
	if _, ok := c.Cache("a").Get("n"); ok {
		t.Error("a session is as young as its ticket")
	}
}

func TestClientKeepsFewPeers(t *testing.T) {
	conf := settings("x")
	conf.Size = 0
	c := NewStore().Begin().Client(conf)
	v := NewStore().Begin().Server(settings("x"))
	r := newRig(t, tls.VersionTLS13)
	r.expect(v, false, "at first")
	session := r.client.ClientSessionCache.(*lastSession).last
	for i := range 3 * maxPeers {
		c.Cache(string(rune('a'+i))).Put("n", session)
	}
	if n, _ := c.entry.offers.Len(); n != maxPeers {
		t.Errorf("%d peers are kept, not %d", n, maxPeers)
	}
}
