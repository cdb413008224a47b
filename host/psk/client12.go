package psk

import (
	"crypto/tls"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// curveNamed is the one kind of curve that TLS 1.2 still has (RFC 8422, section 5.4).
const curveNamed = 3

// finish12 is all after a ServerHello of TLS 1.2 (RFC 4279, section 2; RFC 5489, section 2).
func (h *clientState) finish12(hello *serverHello, raw []byte) error {
	h.randoms = slices.Concat(hello.random, h.random)
	h.note(raw)
	var public, shared []byte
	if h.suite.ecdhe {
		m, err := h.expect(typeServerKeyExchange)
		if err != nil {
			return err
		}
		group, point, err := parseServerKeyExchange(m)
		if err != nil {
			return err
		}
		if !slices.Contains(h.Conn.config.groups(), group) {
			return illegal("server selected a group that was not offered")
		}
		if public, shared, err = exchange(group, point); err != nil {
			return err
		}
		h.note(m)
		h.state.CurveID = group
	} else if err := h.skipHint(); err != nil {
		return err
	}
	done, err := h.expect(typeServerHelloDone)
	if err != nil {
		return err
	}
	if len(done) != messageHeader {
		return decodeError("ServerHelloDone")
	}
	h.note(done)
	if err := h.keyChange(); err != nil {
		return err
	}
	err = h.send(message(typeClientKeyExchange, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.Conn.config.Identity)) })
		if public != nil {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(public) })
		}
	}))
	if err != nil {
		return err
	}
	k, err := h.keys12(shared)
	if err != nil {
		return err
	}
	if err := h.sendFinished12(k.client, k.verify("client finished", h.sum())); err != nil {
		return err
	}
	return h.expectFinished12(k.server, func() []byte { return k.verify("server finished", h.sum()) })
}

// skipHint reads a ServerKeyExchange that has nothing but a hint at the identity to give
// (RFC 4279, section 2). It may be missing, and the configuration says which one we give.
func (h *clientState) skipHint() error {
	if next, err := h.peekMessage(); err != nil || next != typeServerKeyExchange {
		return err
	}
	raw, err := h.expect(typeServerKeyExchange)
	if err != nil {
		return err
	}
	s := cryptobyte.String(raw[messageHeader:])
	var hint cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&hint) || !s.Empty() {
		return decodeError("ServerKeyExchange")
	}
	h.note(raw)
	return nil
}

// parseServerKeyExchange gives the server's group and public value (RFC 5489, section 2).
func parseServerKeyExchange(raw []byte) (tls.CurveID, []byte, error) {
	s := cryptobyte.String(raw)
	var hint, point cryptobyte.String
	var kind uint8
	var group uint16
	if !s.Skip(messageHeader) || !s.ReadUint16LengthPrefixed(&hint) || !s.ReadUint8(&kind) || !s.ReadUint16(&group) ||
		!s.ReadUint8LengthPrefixed(&point) || !s.Empty() {
		return 0, nil, decodeError("ServerKeyExchange")
	}
	if kind != curveNamed {
		return 0, nil, illegal("server sent an explicit curve")
	}
	return tls.CurveID(group), point, nil
}
