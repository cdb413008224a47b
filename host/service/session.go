package service

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/stunnel-wasm/stunnel-wasm/host/dial"
)

// tlsConfig is a service's TLS configuration, with the verdict on this connection's peer
// and the sessions that this connection may resume.
func (c *connection) tlsConfig(svc *Service) *tls.Config {
	conf := svc.tls.For(c.alpn, func(cs tls.ConnectionState) error {
		return c.verify(svc, cs)
	})
	c.session = nil // that of the primary, once the client's name has chosen a secondary
	switch given := svc.tls.Given(); {
	case svc.conf.Client:
		if svc.dialer.Several() || svc.conf.Transparent.Destination || c.target != "" || c.route != "" {
			conf = svc.tls.ForPeer(conf, c.outgoing.RemoteAddr().String())
		}
	case given != nil && (svc.dialer.Several() || svc.tls.OwnSession()):
		c.session = given.Handshake(c.log)
		conf = svc.tls.ForSession(conf, c.session)
	}
	return conf
}

// dialKept connects to one of the service's targets: of a session that is resumed, to
// the one that served it before. Programs that keep what a session of theirs is about,
// in memory or files, are found again by it.
func (c *connection) dialKept(ctx context.Context, dialer *dial.Dialer) (net.Conn, error) {
	if c.session == nil || c.tls == nil || !dialer.Several() {
		return dialer.Dial(ctx, c.log)
	}
	resumed := c.tls.ConnectionState().DidResume
	first := c.session.Target(resumed)
	if resumed && first == "" {
		c.log.Noticef("persistence: No cached address found")
	}
	nc, target, err := dialer.DialFirst(ctx, first, c.log)
	if err == nil && c.session.Remember(target.Addr) {
		c.log.Infof("persistence: %s cached", target)
	}
	return nc, err
}
