package tlsconf

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/session"
)

// lookupTime bounds the look-up of sessiond's name, when a service is built.
const lookupTime = 10 * time.Second

// resume says what sessions the service gives or takes.
func (c *Context) resume(s *config.Service, g *session.Generation) error {
	set := session.Settings{
		Name:     s.Name,
		Timeout:  s.Session.Timeout,
		Size:     s.Session.CacheSize,
		Stateful: s.NoTicket,
		Own:      c.Config.Certificates,
	}
	if g == nil {
		g = session.NewStore().Begin()
	}
	if !s.Session.Resume {
		c.Config.SessionTicketsDisabled = true
		return nil
	}
	if s.Client {
		c.ignored(s)
		// crypto/tls offers tickets wherever it resumes, and TLS 1.2 knows only tickets there.
		if s.NoTicket && c.Config.MinVersion < tls.VersionTLS13 {
			c.Config.SessionTicketsDisabled = true
			return nil
		}
		c.offered = g.Client(set)
		c.Config.ClientSessionCache = c.offered.Cache("")
		return nil
	}
	if s.Session.TicketKey != nil {
		set.Secrets = &session.Secrets{Key: s.Session.TicketKey, MAC: s.Session.TicketMAC}
	}
	if s.Session.Sessiond != (config.Address{}) {
		at, err := lookupSessiond(s.Session.Sessiond)
		if err != nil {
			e := s.Errorf("sessiond", "Failed to resolve sessiond server address: %v", err)
			return e.WithHint("sessiond is reached by UDP over IPv4: write [HOST:]PORT")
		}
		set.Sessiond, set.Stateful = at, true
		if set.Secrets == nil {
			c.Warnings = append(c.Warnings, "Service ["+s.Name+"] uses \"sessiond\" without \"ticketKeySecret\" and \"ticketMacSecret\": "+
				"no other process can open its sessions")
		}
	}
	c.given = g.Server(set)
	c.given.Configure(c.Config)
	// What a peer proved is carried from session to session; and one handshake may ask
	// sessiond once only. Both take a memory of the handshake's own.
	c.ownSession = c.Verifier.Asks() || set.Sessiond.IsValid()
	return nil
}

// ignored warns of what only a server can do.
func (c *Context) ignored(s *config.Service) {
	for _, o := range []struct {
		name string
		set  bool
	}{
		{"ticketKeySecret", s.Session.TicketKey != nil},
		{"ticketMacSecret", s.Session.TicketMAC != nil},
		{"sessiond", s.Session.Sessiond != (config.Address{})},
	} {
		if o.set {
			c.Warnings = append(c.Warnings, o.name+" is ignored in the client mode")
		}
	}
}

func lookupSessiond(a config.Address) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	host := a.Host
	if host == "" {
		host = "127.0.0.1"
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", a.Port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(port)), nil
}

// Given are the sessions of a server service; nil: it gives none.
func (c *Context) Given() *session.Server { return c.given }

// OwnSession tells whether each handshake of a server needs a session.Handshake.
func (c *Context) OwnSession() bool { return c.ownSession }

// ForSession gives one of For's configurations to a single handshake of a server, which
// knows by h what session it gave or took.
func (c *Context) ForSession(conf *tls.Config, h *session.Handshake) *tls.Config {
	own := c.apart(conf)
	h.Configure(own)
	return own
}

// ForPeer gives one of For's configurations to a single handshake of a client with one
// of several servers, by its address, whose sessions are kept apart.
func (c *Context) ForPeer(conf *tls.Config, peer string) *tls.Config {
	if c.offered == nil {
		return conf
	}
	own := c.apart(conf)
	own.ClientSessionCache = c.offered.Cache(peer)
	return own
}

// apart makes a configuration of For one that can be changed: those that are not Config are
// one handshake's already.
func (c *Context) apart(conf *tls.Config) *tls.Config {
	if conf != c.Config {
		return conf
	}
	return conf.Clone()
}
