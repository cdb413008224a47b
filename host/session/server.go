package session

import (
	"crypto/rand"
	"crypto/tls"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// A Server gives a server service's sessions to clients, and takes them back. It is safe
// for concurrent use.
type Server struct {
	store *Store
	entry *entry
	conf  Settings
	name  string // that keys are bound to
	fixed []*keys
}

// Server makes the sessions of a server service, going on with those of its name.
func (g *Generation) Server(s Settings) *Server {
	v := &Server{store: g.store, conf: s}
	v.entry, v.name = g.entry("server ", &s)
	if s.Secrets != nil {
		v.fixed = []*keys{derive(s.Secrets.root(), v.name, time.Time{})}
	}
	return v
}

func (v *Server) keys(now time.Time) []*keys {
	if v.fixed != nil {
		return v.fixed
	}
	return v.entry.keys.all(v.name, now, v.conf.Timeout)
}

// Configure makes a configuration's handshakes use the sessions. They share one memory:
// none asks sessiond, and none knows what it resumed when it gives another ticket. See
// Handshake for that.
func (v *Server) Configure(c *tls.Config) {
	c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		return v.Handshake(nil).wrap(cs, ss)
	}
	c.UnwrapSession = func(id []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		return (&Handshake{server: v, asked: true}).unwrap(id, cs)
	}
}

// A Handshake is what one handshake of a server has to do with sessions, and what the
// connection knows of its session afterwards. It belongs to one goroutine.
type Handshake struct {
	server *Server
	log    *logging.Logger
	found  *record // unwrapped last: if crypto/tls resumes any session, it is this one
	tag    tag     // the session's; zero: the client gets none
	asked  bool    // sessiond, which is done once: a client may offer several ids, and each costs a wait
}

// Handshake starts one. A nil log discards.
func (v *Server) Handshake(log *logging.Logger) *Handshake {
	return &Handshake{server: v, log: log}
}

// Configure makes a configuration of this handshake alone use it.
func (h *Handshake) Configure(c *tls.Config) {
	c.WrapSession, c.UnwrapSession = h.wrap, h.unwrap
}

// wrap makes a session's ticket. A resumed TLS 1.2 session gets none: it keeps the one
// that it has, as with OpenSSL's servers. crypto/tls would send a new ticket each time,
// and OpenSSL's clients, stunnel's among them, forget a session whose ticket is renewed;
// they would resume every other time. An empty ticket is RFC 5077's way to send none
// (section 3.3).
func (h *Handshake) wrap(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
	v, now := h.server, h.server.store.now()
	r := record{issued: now, begun: now}
	switch {
	case cs.DidResume && h.found != nil:
		r.begun, r.tag = h.found.begun, h.found.tag
	default:
		rand.Read(r.tag[:])
	}
	h.tag = r.tag
	if cs.DidResume && cs.Version < tls.VersionTLS13 {
		return nil, nil
	}
	var err error
	if r.state, err = ss.Bytes(); err != nil {
		return nil, err
	}
	if len(r.state) > maxState {
		h.log.Debugf("session of %d bytes is too long to be resumed", len(r.state))
		return refused(cs), nil
	}
	all := v.keys(now)
	if !v.conf.Stateful {
		return all[0].seal(labelTicket, nil, r.encode())
	}
	id, text := all[0].newID(), r.encode()
	v.entry.states.Put(id, text, len(text), v.conf.Size, now, now.Add(v.conf.Timeout))
	h.share(all[0], id, text)
	return id[:], nil
}

// refused is a ticket that nothing will come of. TLS 1.3 has no empty one (RFC 8446,
// section 4.6.1).
func refused(cs tls.ConnectionState) []byte {
	if cs.Version < tls.VersionTLS13 {
		return nil
	}
	return make([]byte, 1)
}

// unwrap finds the session that a client offers; nil: the handshake is a whole one.
func (h *Handshake) unwrap(offered []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	v, now := h.server, h.server.store.now()
	if len(offered) == 0 {
		return nil, nil
	}
	r, ok := h.find(offered, now)
	if !ok || !r.good(now, v.conf.Timeout) {
		return nil, nil
	}
	state, err := tls.ParseSessionState(r.state)
	if err != nil {
		return nil, nil // of another version of crypto/tls, on a machine that shares secrets
	}
	h.found = &r
	return state, nil
}

func (h *Handshake) find(offered []byte, now time.Time) (r record, ok bool) {
	v := h.server
	if !v.conf.Stateful {
		text, err := open(v.keys(now), labelTicket, nil, offered)
		if err != nil {
			return r, false
		}
		return decodeRecord(text)
	}
	if len(offered) != idSize {
		return r, false
	}
	id := [idSize]byte(offered)
	if text, ok := v.entry.states.Get(id, now); ok {
		return decodeRecord(text)
	}
	return h.fetch(id, now)
}

// share gives a session to sessiond.
func (h *Handshake) share(k *keys, id [idSize]byte, text []byte) {
	v := h.server
	if !v.conf.Sessiond.IsValid() {
		return
	}
	sealed, err := k.seal(labelSessiond, id[:], text)
	if err != nil {
		h.log.Debugf("sessiond: %v", err)
		return
	}
	if len(sealed) > maxValue {
		h.log.Debugf("sessiond: encoded session too big (%d bytes)", len(sealed))
		return
	}
	if err := v.store.peers.give(v.conf.Sessiond, id, v.conf.Timeout, sealed); err != nil {
		h.log.Debugf("sessiond: %v", err)
	}
}

// fetch asks sessiond for a session that is not here. What comes back counts only if
// this service sealed it for this very id: anybody can send a datagram, and the id has
// crossed the network in the clear.
func (h *Handshake) fetch(id [idSize]byte, now time.Time) (r record, ok bool) {
	v := h.server
	all := v.keys(now)
	if !v.conf.Sessiond.IsValid() || h.asked || !madeID(all, id) {
		return r, false
	}
	h.asked = true
	err := v.store.peers.ask(v.conf.Sessiond, id, v.conf.Timeout, func(value []byte) bool {
		text, err := open(all, labelSessiond, id[:], value)
		if err != nil {
			return false
		}
		r, ok = decodeRecord(text)
		return ok
	})
	switch {
	case err != nil:
		h.log.Debugf("sessiond: %v", err)
	case ok:
		h.log.Debugf("sessiond: session found")
	default:
		h.log.Debugf("sessiond: session not found")
	}
	return r, ok
}

// maxTargets bounds the table of targets where sessionCacheSize sets no limit.
const maxTargets = 1 << 16

// Target is the target that served the resumed session before; empty: not known, or the
// handshake was a whole one.
func (h *Handshake) Target(resumed bool) string {
	if !resumed || h.found == nil {
		return ""
	}
	t, _ := h.server.entry.targets.Get(h.found.tag, h.server.store.now())
	return t
}

// Remember keeps the target that serves the session, for as long as it can be resumed.
// It tells whether there is a session to keep it for.
func (h *Handshake) Remember(target string) bool {
	if h.tag == (tag{}) {
		return false
	}
	v, now := h.server, h.server.store.now()
	limit := v.conf.Size
	if limit == 0 {
		limit = maxTargets
	}
	v.entry.targets.Put(h.tag, target, len(h.tag)+len(target), limit, now, now.Add(v.conf.Timeout))
	return true
}
