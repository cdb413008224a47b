package psk

import (
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// retry answers a HelloRetryRequest (RFC 8446, sections 4.1.4 and 4.2.8).
func (h *clientState) retry(hello *serverHello, raw []byte) error {
	if err := h.keyChange(); err != nil {
		return err
	}
	group := hello.share.group
	switch asked := has(hello.extensions, extKeyShare); {
	case !asked && hello.cookie == nil:
		return illegal("HelloRetryRequest changes nothing")
	case !asked:
	case group == h.share.group, !slices.Contains(h.Conn.config.groups(), group):
		return illegal("HelloRetryRequest for a group that was not offered, or offered with a key share")
	default:
		if err := h.makeShare(group); err != nil {
			return err
		}
	}
	h.retried = hello
	h.cookie = hello.cookie
	h.retryTranscript()
	h.note(raw)
	return h.greet()
}

// finish13 is all after a ServerHello of TLS 1.3.
func (h *clientState) finish13(hello *serverHello, raw []byte) error {
	if err := h.keyChange(); err != nil {
		return err
	}
	// RFC 8446, section 4.2.11: the identity is the one that we gave. A server that takes
	// none would show a certificate next, and nobody checks one here.
	if hello.identity < 0 {
		return &record.Error{Alert: record.HandshakeFailure, Reason: "server did not take the pre-shared key"}
	}
	if hello.identity > 0 {
		return illegal("server selected an identity that was not offered")
	}
	// psk_dhe_ke (section 4.2.9): without a share the session would be as secret as the key.
	if hello.share.group != h.share.group {
		return illegal("server sent no key share for ours")
	}
	shared, err := agree(h.private, hello.share.data)
	if err != nil {
		return err
	}
	h.state.CurveID = h.share.group
	h.note(raw)
	s := h.deriveSecrets(shared)
	if err := h.protectIn(&s.schedule, s.server); err != nil {
		return err
	}
	flight := h.serverFlight(s)
	// Whatever follows is under the handshake's key: an alert too, which the server could not
	// tell from somebody else's in the clear (appendix A.1).
	if err := h.sendCCS(); err != nil {
		return err
	}
	if err := h.protectOut(&s.schedule, s.client); err != nil {
		return err
	}
	if flight != nil {
		return flight
	}
	client, server := s.application(h.sum())
	if err := h.sendFinished(s.mac(s.client, h.sum())); err != nil {
		return err
	}
	if err := h.protectIn(&s.schedule, server); err != nil {
		return err
	}
	return h.protectOut(&s.schedule, client)
}

// serverFlight reads what the server sends under the handshake's key. No CertificateRequest
// and no Certificate may come with a pre-shared key (section 4.3.2).
func (h *clientState) serverFlight(s *secrets13) error {
	if err := h.encryptedExtensions(); err != nil {
		return err
	}
	return h.expectFinished(s.mac(s.server, h.sum()))
}

// sendFinished sends our Finished and the flight that it ends.
func (c *Conn) sendFinished(mac []byte) error {
	err := c.send(message(typeFinished, func(b *cryptobyte.Builder) { b.AddBytes(mac) }))
	if err != nil {
		return err
	}
	return c.out.Flush()
}

// encryptedExtensions reads the message (RFC 8446, section 4.3.1).
func (h *clientState) encryptedExtensions() error {
	raw, err := h.expect(typeEncryptedExtensions)
	if err != nil {
		return err
	}
	const what = "EncryptedExtensions"
	s := cryptobyte.String(raw[messageHeader:])
	list, err := readExtensions(&s, what)
	if err != nil {
		return err
	}
	protocol := ""
	// extGroups is for later connections.
	if err := h.onlyExtensions(list, extServerName, extGroups, extALPN); err != nil {
		return err
	}
	for _, e := range list {
		ok := true
		switch e.id {
		case extServerName:
			ok = len(e.data) == 0
		case extALPN:
			protocol, ok = oneName(e.data)
		}
		if !ok {
			return decodeError(what)
		}
	}
	h.note(raw)
	return h.takeProtocol(protocol)
}
