// Package session lets TLS sessions be resumed: by tickets that the peer keeps and a
// server can open again, by a cache in the server whose entries are named by an id, or
// by another machine's cache behind sessiond. It also keeps a client's sessions, and for
// each session the target that served it.
//
// crypto/tls makes and takes the state of a session; this package decides where it
// rests, how it is protected there, how long it counts, and for whom. A session belongs
// to one service by name: each has keys and caches of its own, so that a session of one
// is noise to any other. What the peer proved is not decided here: crypto/tls carries
// the peer's certificates in the state, and VerifyConnection judges them at each
// handshake, resumed or not.
//
// A [Store] outlives reloads. A configuration is built against a [Generation] of it;
// only when that is committed are sessions of services that are gone forgotten.
package session

import (
	"crypto/sha256"
	"crypto/tls"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/lru"
)

// Settings are a service's options about sessions. A reload may change them: sessions
// that exist are then judged by the new ones.
type Settings struct {
	Name string // of the service

	// Timeout is how long a session can be resumed (sessionCacheTimeout). In TLS 1.3 each
	// connection gives another ticket, with a time of its own.
	Timeout time.Duration
	// Size bounds what is kept, in sessions (sessionCacheSize); 0: by lru.MaxBytes alone.
	Size int
	// Stateful keeps sessions in the server and gives clients ids of them, instead of
	// tickets (options = NO_TICKET).
	Stateful bool
	// Secrets protect tickets, and what goes to Sessiond, in place of random keys of the
	// process; nil: random keys.
	Secrets *Secrets
	// Sessiond is where a stateful server also keeps its sessions; invalid: nowhere.
	Sessiond netip.AddrPort
	// Own are the service's certificates. A client's sessions, and a server's without
	// Secrets, end when they change: a client would go on as who it was before, and a
	// server would not have to show its new certificate. With Secrets, it is they whose
	// change ends the sessions: those of a secret that is known could be anybody's.
	Own []tls.Certificate
}

// A Store keeps what resumption needs for all services, over reloads. It is safe for
// concurrent use.
type Store struct {
	now func() time.Time

	mu    sync.Mutex
	kept  map[string]*entry
	peers exchange // with sessiond, of all services
}

// NewStore makes an empty store.
func NewStore() *Store {
	return &Store{now: time.Now, kept: map[string]*entry{}, peers: newExchange()}
}

// An entry is what a store keeps for one service.
type entry struct {
	basis   [sha256.Size]byte // of what the sessions hang on: see Settings.Own
	keys    ring
	states  lru.Cache[[idSize]byte, []byte] // a server's sessions by id; with a client's certificates kilobytes each
	targets lru.Cache[tag, string]          // where sessions were served

	offers   lru.Cache[string, []offer] // a client's sessions, by peer
	offering sync.Mutex                 // over what is one step on offers: a ticket taken must not come back
}

// A Generation is one configuration's hold on a store. It is used by one goroutine.
type Generation struct {
	store   *Store
	entries map[string]*entry
}

// Begin starts a generation. One that is never committed leaves no trace.
func (s *Store) Begin() *Generation {
	return &Generation{store: s, entries: map[string]*entry{}}
}

// Commit forgets the services that this generation did not ask for.
func (g *Generation) Commit() {
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	g.store.kept = g.entries
}

// entry gives what is kept for a service, or something new where its sessions would hang
// on something else. Sections may share a name; the first is the first also after a
// reload, and a name's second has nothing to do with it.
func (g *Generation) entry(role string, s *Settings) (*entry, string) {
	name := s.Name
	for n := 2; g.entries[role+name] != nil; n++ {
		// No name has a line feed in it.
		name = s.Name + "\n" + strconv.Itoa(n)
	}
	basis := s.basis()
	g.store.mu.Lock()
	e := g.store.kept[role+name]
	g.store.mu.Unlock()
	if e == nil || e.basis != basis {
		e = &entry{basis: basis}
	}
	g.entries[role+name] = e
	return e, name
}

func (s *Settings) basis() [sha256.Size]byte {
	h := sha256.New()
	if s.Secrets != nil {
		h.Write(s.Secrets.root())
		return [sha256.Size]byte(h.Sum(nil))
	}
	for _, c := range s.Own {
		for _, der := range c.Certificate {
			h.Write(der)
		}
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}
