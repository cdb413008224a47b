package psk

import (
	"bytes"
	"crypto/ecdh"
	"crypto/tls"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// serve12 answers in TLS 1.2 (RFC 4279, section 2; RFC 5489, section 2).
func (h *serverState) serve12(high uint16) error {
	c := h.client
	switch {
	case !bytes.Contains(c.compression, []byte{0}):
		return illegal("client does not support uncompressed connections") // RFC 5246, section 7.4.1.2
	case !c.extended:
		return errExtended
	}
	group := h.commonGroup()
	if group != 0 && !uncompressed(c.formats) {
		return illegal("client does not support uncompressed points") // RFC 8422, section 5.1.2
	}
	suites := slices.DeleteFunc(h.config.suites12(), func(s *suite) bool { return s.ecdhe && group == 0 })
	s := common(suites, c.suites)
	if s == nil {
		return &record.Error{Alert: record.HandshakeFailure, Reason: "no cipher suite supported by both client and server"}
	}
	h.settle(tls.VersionTLS12, s)
	protocol, err := mutual(h.config.Protocols, c.protocols)
	if err != nil {
		return err
	}
	h.state.NegotiatedProtocol = protocol
	h.note(c.raw)
	hello := &serverHello{random: random(), suite: s.id, identity: -1, extended: true, secure: c.secure, protocol: protocol}
	if high > tls.VersionTLS12 {
		copy(hello.random[len(hello.random)-len(downgrade):], downgrade) // RFC 8446, section 4.1.3
	}
	h.randoms = slices.Concat(hello.random, c.random)
	if err := h.send(hello.marshal()); err != nil {
		return err
	}
	var private *ecdh.PrivateKey
	if s.ecdhe {
		if private, err = h.sendKeyExchange(group); err != nil {
			return err
		}
	}
	if err := h.send(message(typeServerHelloDone, nothing)); err != nil {
		return err
	}
	if err := h.out.Flush(); err != nil {
		return err
	}
	return h.finish12(private)
}

// sendKeyExchange sends our public value, with an empty hint.
func (h *serverState) sendKeyExchange(group tls.CurveID) (*ecdh.PrivateKey, error) {
	private, err := newKey(group)
	if err != nil {
		return nil, err
	}
	h.state.CurveID = group
	return private, h.send(message(typeServerKeyExchange, func(b *cryptobyte.Builder) {
		b.AddUint16(0)
		b.AddUint8(curveNamed)
		b.AddUint16(uint16(group))
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(private.PublicKey().Bytes()) })
	}))
}

// finish12 is all after the ServerHelloDone.
func (h *serverState) finish12(private *ecdh.PrivateKey) error {
	raw, err := h.expect(typeClientKeyExchange)
	if err != nil {
		return err
	}
	identity, point, err := parseClientKeyExchange(raw, private != nil)
	if err != nil {
		return err
	}
	var shared []byte
	if private != nil {
		if shared, err = agree(private, point); err != nil {
			return err
		}
	}
	// An unknown identity has the decoy's key (RFC 4279, section 2): the client's Finished
	// does not decrypt, as with a wrong key.
	h.identity = identity
	h.secret, h.known = h.config.Secrets.find(identity)
	h.note(raw)
	k, err := h.keys12(shared)
	if err != nil {
		return err
	}
	err = h.expectFinished12(k.client, func() []byte { return k.verify("client finished", h.sum()) })
	if err != nil {
		return err
	}
	return h.sendFinished12(k.server, k.verify("server finished", h.sum()))
}

// parseClientKeyExchange gives the identity and, with an ephemeral exchange, the client's
// public value.
func parseClientKeyExchange(raw []byte, ephemeral bool) (identity string, point []byte, err error) {
	s := cryptobyte.String(raw)
	var id, public cryptobyte.String
	ok := s.Skip(messageHeader) && s.ReadUint16LengthPrefixed(&id)
	if ephemeral {
		ok = ok && s.ReadUint8LengthPrefixed(&public)
	}
	if !ok || !s.Empty() {
		return "", nil, decodeError("ClientKeyExchange")
	}
	return string(id), public, nil
}
