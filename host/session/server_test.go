package session

import (
	"bytes"
	"crypto/tls"
	"testing"
	"time"
)

// forms runs a test for both versions and both forms of a server's sessions.
func forms(t *testing.T, test func(t *testing.T, r *rig, edit func(Settings) Settings)) {
	for _, version := range both {
		for form, stateful := range map[string]bool{"tickets": false, "ids": true} {
			t.Run(tls.VersionName(version)+" "+form, func(t *testing.T) {
				test(t, newRig(t, version), func(s Settings) Settings {
					s.Stateful = stateful
					return s
				})
			})
		}
	}
}

func TestSessionsAreOfOneService(t *testing.T) {
	forms(t, func(t *testing.T, r *rig, edit func(Settings) Settings) {
		for what, s := range map[string]*Secrets{"random keys": nil, "the same secrets": secrets(1)} {
			g := NewStore().Begin()
			conf := edit(Settings{Name: "one", Timeout: time.Minute, Secrets: s})
			one := g.Server(conf)
			conf.Name = "two"
			two := g.Server(conf)
			again := g.Server(conf) // a second section of the name
			r.client.ClientSessionCache = &lastSession{}
			r.expect(one, false, what+", at first")
			r.expect(one, true, what+", at its own service")
			r.expect(two, false, what+", at another service")
			r.expect(again, false, what+", at another of the same name")
		}
	})
}

func TestSecretsAreShared(t *testing.T) {
	for _, version := range both {
		r := newRig(t, version)
		process := func(fill byte) *Server {
			s := settings("x")
			s.Secrets = secrets(fill)
			s.Own = []tls.Certificate{{Certificate: [][]byte{{fill}}}}
			return NewStore().Begin().Server(s)
		}
		r.expect(process(1), false, "at first")
		r.expect(process(1), true, "in another process with the secrets")
		r.expect(process(2), false, "in a process with others")
		moved := settings("x") // the same bytes, and the border elsewhere
		moved.Secrets = &Secrets{Key: make([]byte, 32), MAC: make([]byte, 16)}
		even := settings("x")
		even.Secrets = &Secrets{Key: make([]byte, 16), MAC: make([]byte, 32)}
		r.expect(NewStore().Begin().Server(moved), false, "with other secrets")
		r.expect(NewStore().Begin().Server(even), false, "with the same bytes in secrets of other lengths")
	}
}

func TestReload(t *testing.T) {
	forms(t, func(t *testing.T, r *rig, edit func(Settings) Settings) {
		s := NewStore()
		load := func(conf Settings, commit bool) *Server {
			g := s.Begin()
			v := g.Server(edit(conf))
			if commit {
				g.Commit()
			}
			return v
		}
		x := settings("x")
		r.expect(load(x, true), false, "at first")
		r.expect(load(x, true), true, "after a reload")
		load(settings("y"), false)
		r.expect(load(x, true), true, "after a reload that failed")
		x.Own = []tls.Certificate{certificate(t, 0)}
		r.expect(load(x, true), false, "with another certificate")
		r.expect(load(x, true), true, "after that")
		load(settings("y"), true)
		r.expect(load(x, true), false, "after a time without the service")
	})
}

// With secrets, sessions hang on these and not on the certificate, in the cache too.
func TestReloadWithSecrets(t *testing.T) {
	forms(t, func(t *testing.T, r *rig, edit func(Settings) Settings) {
		s := NewStore()
		load := func(fill byte, own ...tls.Certificate) *Server {
			conf := settings("x")
			conf.Secrets, conf.Own = secrets(fill), own
			g := s.Begin()
			defer g.Commit()
			return g.Server(edit(conf))
		}
		r.expect(load(1), false, "at first")
		r.expect(load(1, certificate(t, 0)), true, "with another certificate")
		r.expect(load(2), false, "with other secrets")
		r.expect(load(2), true, "after that")
	})
}

func TestTimeout(t *testing.T) {
	forms(t, func(t *testing.T, r *rig, edit func(Settings) Settings) {
		var c clock
		s := storeWith(&c)
		v := s.Begin().Server(edit(settings("x")))
		r.expect(v, false, "at first")
		c.ahead += 299 * time.Second
		r.expect(v, true, "within the timeout")
		c.ahead += 302 * time.Second
		r.expect(v, false, "after it")
		c.ahead -= time.Hour
		r.expect(v, false, "before it was made")
	})
}

// In TLS 1.3 each connection gives a ticket of its own, and so a session may go on. What
// the client proved at the beginning does not count for ever.
func TestSessionsEndInADay(t *testing.T) {
	r := newRig(t, tls.VersionTLS13)
	var c clock
	v := storeWith(&c).Begin().Server(settings("x"))
	r.expect(v, false, "at first")
	whole := 0
	for range 25 * 15 {
		c.ahead += 4 * time.Minute
		if _, resumed := r.shake(v); !resumed {
			whole++
		}
	}
	if whole != 1 {
		t.Errorf("%d whole handshakes in 25 hours, not 1", whole)
	}
}

func TestCacheSize(t *testing.T) {
	for _, version := range both {
		r := newRig(t, version)
		conf := settings("x")
		conf.Stateful, conf.Size = true, 2
		v := NewStore().Begin().Server(conf)
		var clients []*lastSession
		for range 3 {
			r.client.ClientSessionCache = &lastSession{}
			r.expect(v, false, "at first")
			clients = append(clients, r.client.ClientSessionCache.(*lastSession))
		}
		for i, c := range clients {
			if _, ok := v.entry.states.Get([idSize]byte(c.ticket()), time.Now()); ok != (i > 0) {
				t.Errorf("session %d of three, with room for two: kept is %v", i, ok)
			}
		}
		r.client.ClientSessionCache = clients[2]
		r.expect(v, true, "the last")
	}
}

func TestKeysTakeTurns(t *testing.T) {
	var r ring
	start := time.Now()
	text := func(timeout time.Duration, at time.Duration) []byte {
		sealed, err := r.all("x", start.Add(at), timeout)[0].seal(labelTicket, nil, []byte("text"))
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	opens := func(sealed []byte, timeout, at time.Duration) bool {
		_, err := open(r.all("x", start.Add(at), timeout), labelTicket, nil, sealed)
		return err == nil
	}
	const timeout = 5 * time.Minute
	first := text(timeout, 0)
	if !opens(first, timeout, minTurn+timeout) {
		t.Error("a key is gone before its sessions are over")
	}
	if opens(first, timeout, minTurn+timeout+time.Second+minTurn) {
		t.Error("a key is kept for hours without a session")
	}
	most := 0
	for at := time.Duration(0); at < 4*maxLife; at += maxTurn {
		most = max(most, len(r.all("x", start.Add(at), 100*maxLife)))
	}
	if most > 9 {
		t.Errorf("%d keys at once", most)
	}
}

// A certificate that fills the ticket ends resumption, and nothing else.
func TestLongSessions(t *testing.T) {
	forms(t, func(t *testing.T, r *rig, edit func(Settings) Settings) {
		v := NewStore().Begin().Server(edit(settings("x")))
		r.client.Certificates = []tls.Certificate{certificate(t, maxState/2)}
		r.expect(v, false, "a long certificate at first")
		r.expect(v, true, "a long certificate")
		r.client.ClientSessionCache = &lastSession{}
		r.client.Certificates = []tls.Certificate{certificate(t, maxState)}
		r.expect(v, false, "one too long at first")
		r.expect(v, false, "one too long")
		if _, bytes := v.entry.states.Len(); bytes > 3*maxState {
			t.Errorf("%d bytes are kept", bytes)
		}
	})
}

func TestTargets(t *testing.T) {
	for _, version := range both {
		r := newRig(t, version)
		v := NewStore().Begin().Server(settings("x"))
		h := r.expect(v, false, "at first")
		if got := h.Target(false); got != "" || !h.Remember("192.0.2.1:80") {
			t.Errorf("a new session has target %q, and keeps none", got)
		}
		for range 3 {
			h = r.expect(v, true, "again")
			if got := h.Target(true); got != "192.0.2.1:80" {
				t.Errorf("the target is %q", got)
			}
		}
		h.Remember("192.0.2.2:80")
		if got := r.expect(v, true, "again").Target(true); got != "192.0.2.2:80" {
			t.Errorf("the target is %q, not what it was last", got)
		}
		r.client.ClientSessionCache = nil
		r.client.SessionTicketsDisabled = true
		if h := r.expect(v, false, "without tickets"); version == tls.VersionTLS12 && h.Remember("192.0.2.1:80") {
			t.Error("a target is kept for no session")
		}
	}
}

// Each bit of a ticket counts.
func TestForgedTickets(t *testing.T) {
	k := derive(make([]byte, 32), "x", time.Time{})
	sealed, err := k.seal(labelTicket, nil, []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	all := []*keys{k}
	if text, err := open(all, labelTicket, nil, sealed); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	for i := range len(sealed) * 8 {
		forged := bytes.Clone(sealed)
		forged[i/8] ^= 1 << (i % 8)
		if _, err := open(all, labelTicket, nil, forged); err == nil {
			t.Errorf("bit %d does not count", i)
		}
	}
	for i := range sealed {
		if _, err := open(all, labelTicket, nil, sealed[:i]); err == nil {
			t.Errorf("%d bytes are enough", i)
		}
	}
	if _, err := open(all, labelSessiond, nil, sealed); err == nil {
		t.Error("a ticket is taken for what sessiond keeps")
	}
	if _, err := open(all, labelTicket, []byte{1}, sealed); err == nil {
		t.Error("it is taken for another session's")
	}
	id := k.newID()
	if !madeID(all, id) {
		t.Error("an id is not known again")
	}
	id[idSize-1] ^= 1
	if madeID(all, id) {
		t.Error("a forged id is taken")
	}
}

// FuzzUnwrap has clients offer anything as a ticket, and as what a ticket holds.
func FuzzUnwrap(f *testing.F) {
	k := derive(make([]byte, 32), "x", time.Time{})
	conf := settings("x")
	v := NewStore().Begin().Server(conf)
	v.fixed = []*keys{k}
	sealed, err := k.seal(labelTicket, nil, (&record{issued: time.Now(), begun: time.Now(), state: []byte{3, 4, 1}}).encode())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{})
	f.Add((&record{issued: time.Now(), begun: time.Now()}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		state, err := v.Handshake(nil).unwrap(b, tls.ConnectionState{})
		if state != nil || err != nil {
			t.Errorf("%v, %v", state, err)
		}
		sealed, err := k.seal(labelTicket, nil, b)
		if err != nil {
			t.Fatal(err)
		}
		// Whoever has the key may say anything; it must not break the server.
		if _, err := v.Handshake(nil).unwrap(sealed, tls.ConnectionState{}); err != nil {
			t.Error(err)
		}
		if r, ok := decodeRecord(b); ok && !bytes.Equal(r.encode(), b) {
			t.Errorf("%x comes back as %x", b, r.encode())
		}
	})
}
