package service

import (
	"context"
	"crypto/tls"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
)

// takesKeys tells whether a client of the service may come with a pre-shared key, here or
// at a secondary.
func (s *Service) takesKeys() bool {
	return s.tls.PSK != nil || slices.ContainsFunc(s.named, func(n *Service) bool { return n.tls.PSK != nil })
}

// certified tells whether a server can answer a client that has no pre-shared key.
func (s *Service) certified() bool { return len(s.conf.Cert) > 0 }

// secure does TLS on a socket: with a pre-shared key where the service has one and the peer
// too, and with certificates elsewhere. Crypto/tls cannot do the former.
func (c *connection) secure(s *relay.Socket) (tlsConn, error) {
	switch client := c.svc.conf.Client; {
	case client && c.svc.tls.PSK != nil:
		return c.secureByKey(psk.Client(s, c.svc.tls.ForSecrets(c.alpn)))
	case client:
		return c.secureServer(s)
	case c.svc.takesKeys():
		t, err := c.answerKey(s)
		if t != nil || err != nil {
			return t, err
		}
	}
	return c.secureByCertificate(tls.Server(s, c.tlsConfig(c.svc)))
}

// secureServer does a client's handshake.
func (c *connection) secureServer(s *relay.Socket) (tlsConn, error) {
	if c.svc.conf.LegacyServers {
		return c.secureByCertificate(tls.Client(s, c.tlsConfig(c.svc)))
	}
	h := &serverHello{Socket: s}
	t, err := c.secureByCertificate(tls.Client(h, c.tlsConfig(c.svc)))
	if err == nil {
		err = h.check(t.ConnectionState())
	}
	return t, err
}

func (c *connection) secureByCertificate(t *tls.Conn) (tlsConn, error) {
	// Without a Done channel: crypto/tls would start a goroutine to watch it.
	return t, t.HandshakeContext(context.WithValue(context.Background(), handshakeKey{}, c))
}

// answerKey reads a client's hello and answers it if the service that its name chooses can
// do so with a pre-shared key. Else it gives nil, and the socket as if nothing were read.
func (c *connection) answerKey(s *relay.Socket) (tlsConn, error) {
	hello, err := psk.ReadHello(s)
	if err != nil {
		return nil, err
	}
	svc := c.svc
	if hello.Valid() && len(svc.named) > 0 && c.chooseByName(hello.ServerName) == nil {
		svc = c.chosen()
	}
	if svc.tls.PSK == nil || c.unnamed != nil || svc.certified() && !hello.Usable(svc.tls.PSK) {
		return nil, s.Unread(hello.Wire)
	}
	return c.secureByKey(psk.Server(s, svc.tls.ForSecrets(c.alpn), hello))
}

func (c *connection) secureByKey(t *psk.Conn) (tlsConn, error) {
	err := t.Handshake()
	switch name, known := t.Identity(); {
	case name == "":
	case c.svc.conf.Client:
		c.log.Infof("PSK client configured for identity %q", name)
	case known:
		c.log.Noticef("Key configured for PSK identity %q", name)
	default: // which may be anything, or much
		c.log.Infof("PSK identity not found (session resumption?)")
	}
	return t, err
}
