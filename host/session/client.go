package session

import (
	"crypto/tls"
	"encoding/binary"
	"slices"
	"time"
)

const (
	// maxPeers is how many peers' sessions a client service keeps at most: one for each
	// target, or each server that a guest chose.
	maxPeers = 64

	// maxOffers is how many tickets of one peer are kept. Servers give one or two with
	// each connection, and TLS 1.3's are used once (RFC 8446, appendix C.4).
	maxOffers = 4

	// offerSize stands for a session in the cache's count of bytes: its state and a
	// server's certificates, which connections of the same server share.
	offerSize = 8 << 10
)

// An offer is a session that a client can resume.
type offer struct {
	session *tls.ClientSessionState
	since   time.Time
	once    bool   // of TLS 1.3
	secret  string // of TLS 1.2, which a renewed ticket shares
}

// A Client keeps the sessions of a client service. It is safe for concurrent use.
type Client struct {
	store *Store
	entry *entry
	conf  Settings
}

// Client makes the sessions of a client service, going on with those of its name.
func (g *Generation) Client(s Settings) *Client {
	c := &Client{store: g.store, conf: s}
	c.entry, _ = g.entry("client ", &s)
	return c
}

// Cache gives the sessions of one peer, an address, to crypto/tls, which tells server
// names apart itself. A session is for the server that gave it: to another, the ticket
// would be noise at best, and tell who the client is.
func (c *Client) Cache(peer string) tls.ClientSessionCache { return offers{c, peer} }

// offers implements tls.ClientSessionCache.
type offers struct {
	client *Client
	peer   string
}

func (o offers) key(name string) string { return o.peer + "\n" + name }

// Get gives the newest session that is still good. One of TLS 1.3 is gone then: offered
// twice, it would let who watches the network connect the connections.
func (o offers) Get(name string) (*tls.ClientSessionState, bool) {
	c, now, key := o.client, o.client.store.now(), o.key(name)
	c.entry.offering.Lock()
	defer c.entry.offering.Unlock()
	all, _ := c.entry.offers.Get(key, now)
	for n := len(all); n > 0; n-- {
		last := all[n-1]
		if age := now.Sub(last.since); age > c.conf.Timeout || age < 0 {
			continue
		}
		if last.once {
			n--
		}
		c.keep(key, all[:n], now)
		return last.session, true
	}
	c.keep(key, nil, now)
	return nil, false
}

// Put keeps a session, or with nil forgets the peer's. One with an empty ticket changes
// nothing: the server says that the ticket before goes on (RFC 5077, section 3.3).
func (o offers) Put(name string, s *tls.ClientSessionState) {
	c, now, key := o.client, o.client.store.now(), o.key(name)
	if ticket, state, _ := s.ResumptionState(); state != nil && len(ticket) == 0 {
		return
	}
	fresh, ok := newOffer(s, now)
	c.entry.offering.Lock()
	defer c.entry.offering.Unlock()
	if !ok {
		c.keep(key, nil, now)
		return
	}
	old, _ := c.entry.offers.Get(key, now)
	var all []offer
	for _, k := range old {
		switch {
		case k.once && fresh.once:
			all = append(all, k)
		case !k.once && !fresh.once && k.secret == fresh.secret:
			fresh.since = k.since // the session is as old as before its ticket was renewed
		}
	}
	all = append(all, fresh)
	c.keep(key, slices.Clone(all[max(0, len(all)-maxOffers):]), now)
}

// keep puts sessions in place of those that are kept of a peer, the newest last.
func (c *Client) keep(key string, all []offer, now time.Time) {
	if len(all) == 0 {
		c.entry.offers.Remove(key)
		return
	}
	limit := maxPeers
	if c.conf.Size > 0 {
		limit = min(limit, c.conf.Size)
	}
	c.entry.offers.Put(key, all, offerSize*len(all), limit, now, all[len(all)-1].since.Add(c.conf.Timeout))
}

// newOffer looks into a session's encoding, which crypto/tls documents at SessionState:
// version, role, suite, time, and the secret.
func newOffer(s *tls.ClientSessionState, now time.Time) (o offer, ok bool) {
	_, state, err := s.ResumptionState()
	if err != nil || state == nil {
		return o, false
	}
	b, err := state.Bytes()
	const secretAt = 2 + 1 + 2 + 8
	if err != nil || len(b) <= secretAt || len(b) < secretAt+1+int(b[secretAt]) {
		return o, false
	}
	o = offer{session: s, since: now}
	if o.once = binary.BigEndian.Uint16(b) >= tls.VersionTLS13; !o.once {
		o.secret = string(b[secretAt+1 : secretAt+1+int(b[secretAt])])
	}
	return o, true
}
