package service

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
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

// checkConversation refuses a secondary whose protocol would be spoken before its turn: the
// client's name is known once the primary's conversation before TLS is over, so that a
// secondary can have the same one, or one of its own inside TLS.
func checkConversation(sc *config.Service, all []*config.Service) *config.Error {
	name, _, ok := sc.SplitSNI()
	i := slices.IndexFunc(all, func(p *config.Service) bool { return p.Name == name })
	if !ok || i < 0 || strings.EqualFold(sc.Protocol, all[i].Protocol) {
		return nil
	}
	const hint = "set the same protocol in both, or none here, or give this service an accept of its own"
	if first := all[i].Protocol; first != "" && !stdproto.TLSFirst(first) {
		return sc.Errorf("protocol", "[%s] has spoken %s when the client's name chooses this service", name, first).WithHint(hint)
	}
	if _, bundled := stdproto.Lookup(sc.Protocol); bundled && !stdproto.TLSFirst(sc.Protocol) {
		return sc.Errorf("protocol", "%s begins before the TLS that tells the client's name", sc.Protocol).WithHint(hint)
	}
	return nil
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
			p.tls.Config.GetConfigForClient = configByName
			break
		}
	}
}

// configByName gives crypto/tls the configuration of the service that the client's name
// chooses; nil for the primary's.
func configByName(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c := hello.Context().Value(handshakeKey{}).(*connection)
	if err := c.chooseByName(hello.ServerName); err != nil || c.served == nil {
		return nil, err
	}
	return c.tlsConfig(c.served), nil
}

// chooseByName switches a connection to the secondary whose pattern the client's name
// matches; to none, the primary serves it, as in stunnel. It does so once: the name may have
// been read ahead of crypto/tls.
func (c *connection) chooseByName(name string) error {
	if !c.nameRead {
		c.nameRead = true
		c.unnamed = c.switchByName(name)
	}
	return c.unnamed
}

func (c *connection) switchByName(name string) error {
	if name == "" {
		c.log.Noticef("SNI: no servername received")
		return nil
	}
	c.log.Infof("SNI: requested servername: %s", name)
	for _, s := range c.svc.named {
		_, pattern, _ := s.conf.SplitSNI()
		if !matchName(pattern, name) {
			continue
		}
		c.log.Debugf("SNI: matched pattern: %s", pattern)
		if c.outgoing != nil {
			// The client would be trusted as the secondary asks, and get to the primary's
			// target: whoever names the service that asks for no certificate would be let in
			// to the one that does.
			return fmt.Errorf("%s connected before the client's name chose [%s]", c.svc.conf.Protocol, s.Name())
		}
		if s.conf.Libwrap && !c.permitted(s) {
			return errRefused
		}
		c.served = s
		c.log.Noticef("SNI: switched to service [%s]", s.Name())
		c.log = c.srv.ui.With(c.id, s.Name(), s.level)
		return nil
	}
	c.log.Errf("SNI: no pattern matched servername: %s", name)
	return nil
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

// handsOver tells whether the client's name chose a service whose conversation is its own:
// the primary's has not begun, since it is one of those that are spoken inside TLS, or
// there is none. What was said in the clear otherwise stands for both services.
func (c *connection) handsOver() bool {
	return c.served != nil && (c.svc.proto == nil || stdproto.TLSFirst(c.svc.conf.Protocol))
}

// sealed is the accepted connection of a guest whose service the client's name chose: until
// it asks for TLS, which is there already, it has no word with the client. In the clear its
// words would break into the TLS stream.
type sealed struct{ net.Conn }

var errSealed = errors.New("the client speaks TLS already when its name chooses this service")

func (sealed) Read([]byte) (int, error)  { return 0, errSealed }
func (sealed) Write([]byte) (int, error) { return 0, errSealed }
