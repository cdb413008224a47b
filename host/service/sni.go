package service

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// handshakeKey finds the connection that a handshake belongs to in its context.
type handshakeKey struct{}

// hasSecondaries tells whether a section is the primary of others.
func hasSecondaries(sc *config.Service, all []*config.Service) bool {
	return slices.ContainsFunc(all, func(s *config.Service) bool {
		name, _, ok := s.SplitSNI()
		return ok && name == sc.Name && s != sc
	})
}

// joinSecondaries hangs the services with sni = SERVICE:PATTERN on their primaries. A
// secondary's handshakes are by its own configuration and with its own ticket keys: a
// session of one service cannot be resumed at another, whose trust may be stricter.
func (set *Set) joinSecondaries() {
	for i, s := range set.Services {
		name, _, ok := s.conf.SplitSNI()
		if !ok {
			continue
		}
		for _, p := range set.Services[:i] {
			if p.Name() != name {
				continue
			}
			p.named = append(p.named, s)
			p.tls.Config.GetConfigForClient = chooseByName
			break
		}
	}
}

// chooseByName switches a connection to the secondary whose pattern the client's name
// matches; to none, the primary serves it, as in stunnel.
func chooseByName(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c := hello.Context().Value(handshakeKey{}).(*connection)
	if hello.ServerName == "" {
		c.log.Noticef("SNI: no servername received")
		return nil, nil
	}
	c.log.Debugf("SNI: searching service for servername: %s", hello.ServerName)
	for _, s := range c.svc.named {
		_, pattern, _ := s.conf.SplitSNI()
		if !matchName(pattern, hello.ServerName) {
			continue
		}
		c.log.Debugf("SNI: matched pattern: %s", pattern)
		if c.outgoing != nil {
			// The client would be trusted as the secondary asks, and get to the primary's
			// target: whoever names the service that asks for no certificate would be let in
			// to the one that does.
			return nil, fmt.Errorf("%s connected before the client's name chose [%s]", c.svc.conf.Protocol, s.Name())
		}
		c.served = s
		c.log = c.srv.ui.With(c.id, s.Name(), s.level)
		return c.tlsConfig(s), nil
	}
	c.log.Errf("SNI: no pattern matched servername: %s", hello.ServerName)
	return nil, nil
}

// matchName compares without case. A star at the start stands for any text, dots
// included, and for none.
func matchName(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(name, suffix)
	}
	return pattern == name
}

// chosen is the service that decides on target and trust: the secondary if the client's
// name chose one.
func (c *connection) chosen() *Service {
	if c.served != nil {
		return c.served
	}
	return c.svc
}
