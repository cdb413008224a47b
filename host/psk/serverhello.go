package psk

import (
	"crypto/sha256"
	"crypto/tls"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// retryRandom makes a ServerHello a HelloRetryRequest (RFC 8446, section 4.1.3).
var retryRandom = sha256.Sum256([]byte("HelloRetryRequest"))

// downgrade stands at the end of a random of a server that has TLS 1.3 and agrees to
// TLS 1.2; downgrade11 to an older version still (RFC 8446, section 4.1.3). Who changes a
// ClientHello on the way to get the older version cannot change the random as well.
var (
	downgrade   = []byte("DOWNGRD\x01")
	downgrade11 = []byte("DOWNGRD\x00")
)

// A serverHello is a ServerHello or HelloRetryRequest, taken apart.
type serverHello struct {
	version     uint16 // legacy_version
	random      []byte
	session     []byte
	suite       uint16
	compression uint8
	extensions  []extension

	selected uint16 // version of supported_versions, 0: the extension is not there
	share    share  // in a HelloRetryRequest without data; group 0: the extension is not there
	cookie   []byte
	identity int    // of pre_shared_key, -1: the extension is not there
	formats  []byte // of points; nil: the extension is not there
	extended bool
	secure   bool
	protocol string
}

// retry says whether it is a HelloRetryRequest.
func (h *serverHello) retry() bool { return slices.Equal(h.random, retryRandom[:]) }

func parseServerHello(raw []byte) (*serverHello, error) {
	const what = "ServerHello"
	h := &serverHello{identity: -1}
	s := cryptobyte.String(raw)
	var session cryptobyte.String
	if !s.Skip(messageHeader) || !s.ReadUint16(&h.version) || !s.ReadBytes(&h.random, 32) ||
		!s.ReadUint8LengthPrefixed(&session) || len(session) > 32 ||
		!s.ReadUint16(&h.suite) || !s.ReadUint8(&h.compression) {
		return nil, decodeError(what)
	}
	h.session = session
	if s.Empty() {
		return h, nil
	}
	var err error
	if h.extensions, err = readExtensions(&s, what); err != nil {
		return nil, err
	}
	for _, e := range h.extensions {
		if !h.take(e) {
			return nil, decodeError(what)
		}
	}
	return h, nil
}

func (h *serverHello) take(e extension) (ok bool) {
	s := cryptobyte.String(e.data)
	switch e.id {
	case extVersions:
		return s.ReadUint16(&h.selected) && s.Empty()
	case extKeyShare:
		if h.retry() {
			var group uint16
			ok = s.ReadUint16(&group) && s.Empty()
			h.share.group = tls.CurveID(group)
			return ok
		}
		h.share, ok = readShare(&s)
		return ok && s.Empty()
	case extCookie:
		var cookie cryptobyte.String
		ok = s.ReadUint16LengthPrefixed(&cookie) && s.Empty() && len(cookie) > 0
		h.cookie = cookie
		return ok
	case extPreSharedKey:
		var n uint16
		ok = s.ReadUint16(&n) && s.Empty()
		h.identity = int(n)
		return ok
	case extPointFormats:
		h.formats, ok = readFormats(e.data)
		return ok
	case extMasterSecret:
		h.extended = true
		return s.Empty()
	case extRenegotiationInfo:
		// A first handshake has an empty one (RFC 5746, section 3.4).
		h.secure = true
		return len(e.data) == 1 && e.data[0] == 0
	case extALPN:
		h.protocol, ok = oneName(e.data)
		return ok
	case extServerName:
		return s.Empty()
	}
	return true // whether it may be there at all is checked elsewhere
}

// oneName reads a server's ALPN, which has one name (RFC 7301, section 3.1).
func oneName(data []byte) (string, bool) {
	names, ok := readNames(data)
	if !ok || len(names) != 1 {
		return "", false
	}
	return names[0], true
}

// marshal makes the message out of the first five fields and the extensions.
func (h *serverHello) marshal() ([]byte, error) {
	return message(typeServerHello, func(b *cryptobyte.Builder) {
		b.AddUint16(tls.VersionTLS12)
		b.AddBytes(h.random)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.session) })
		b.AddUint16(h.suite)
		b.AddUint8(0) // no compression
		b.AddUint16LengthPrefixed(h.marshalExtensions)
	})
}

func (h *serverHello) marshalExtensions(b *cryptobyte.Builder) {
	if h.selected != 0 {
		addExtension(b, extVersions, func(b *cryptobyte.Builder) { b.AddUint16(h.selected) })
	}
	if h.share.group != 0 {
		addExtension(b, extKeyShare, func(b *cryptobyte.Builder) {
			if h.retry() {
				b.AddUint16(uint16(h.share.group))
				return
			}
			addShare(b, h.share)
		})
	}
	if h.identity >= 0 {
		addExtension(b, extPreSharedKey, func(b *cryptobyte.Builder) { b.AddUint16(uint16(h.identity)) })
	}
	if h.extended {
		addExtension(b, extMasterSecret, nothing)
	}
	if h.secure {
		addExtension(b, extRenegotiationInfo, func(b *cryptobyte.Builder) { b.AddUint8(0) })
	}
	if h.protocol != "" {
		addExtension(b, extALPN, func(b *cryptobyte.Builder) { addNames(b, h.protocol) })
	}
}
