package psk

import (
	"crypto/tls"

	"golang.org/x/crypto/cryptobyte"
)

// A greeting is what a client's ClientHello is made of.
type greeting struct {
	config  *Config
	random  []byte
	session []byte // not empty: middleboxes shall see TLS 1.2 (RFC 8446, appendix D.4)
	share   *share // nil: TLS 1.3 is not offered
	cookie  []byte
}

// marshal makes the message. With a key share it ends in a binder of zeros.
func (g *greeting) marshal() ([]byte, error) {
	c := g.config
	low, high := c.versions()
	return message(typeClientHello, func(b *cryptobyte.Builder) {
		b.AddUint16(tls.VersionTLS12)
		b.AddBytes(g.random)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(g.session) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			if high == tls.VersionTLS13 {
				for _, s := range c.suites13() {
					b.AddUint16(s.id)
				}
			}
			if low == tls.VersionTLS12 {
				for _, s := range c.suites12() {
					b.AddUint16(s.id)
				}
			}
		})
		b.AddBytes([]byte{1, 0}) // no compression
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { g.extensions(b, low, high) })
	})
}

func (g *greeting) extensions(b *cryptobyte.Builder, low, high uint16) {
	c := g.config
	if c.ServerName != "" {
		addExtension(b, extServerName, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint8(0)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(c.ServerName)) })
			})
		})
	}
	addExtension(b, extGroups, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, g := range c.groups() {
				b.AddUint16(uint16(g))
			}
		})
	})
	if low == tls.VersionTLS12 {
		addExtension(b, extPointFormats, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0}) })
		addExtension(b, extMasterSecret, nothing)
		addExtension(b, extRenegotiationInfo, func(b *cryptobyte.Builder) { b.AddUint8(0) })
	}
	if len(c.Protocols) > 0 {
		addExtension(b, extALPN, func(b *cryptobyte.Builder) { addNames(b, c.Protocols...) })
	}
	if high == tls.VersionTLS13 {
		g.extensions13(b, low)
	}
}

// extensions13 adds those of TLS 1.3.
func (g *greeting) extensions13(b *cryptobyte.Builder, low uint16) {
	addExtension(b, extVersions, func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(tls.VersionTLS13)
			if low == tls.VersionTLS12 {
				b.AddUint16(tls.VersionTLS12)
			}
		})
	})
	addExtension(b, extModes, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, modeDHE}) })
	if g.cookie != nil {
		addExtension(b, extCookie, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(g.cookie) })
		})
	}
	addExtension(b, extKeyShare, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { addShare(b, *g.share) })
	})
	addExtension(b, extPreSharedKey, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(g.config.Identity)) })
			b.AddUint32(0) // the age that an external key has (RFC 8446, section 4.2.11)
		})
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(make([]byte, binderLen)) })
		})
	})
}
