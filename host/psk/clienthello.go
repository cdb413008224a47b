package psk

import (
	"bytes"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// binderLen is the length of the binder of a key that goes with SHA-256, and of what
// stands before the binders in their list.
const (
	binderLen    = 32
	bindersTotal = 2 + 1 + binderLen
)

// maxShares is how many key shares a hello may have. There are some ten groups and a few
// reserved ones; each share is compared with thousands of groups, if the client likes.
const maxShares = 32

// An offer is what a clientHello says in pre_shared_key (RFC 8446, section 4.2.11).
type offer struct {
	identities [][]byte
	binders    [][]byte
	truncated  []byte // the message up to the binders, which they authenticate
}

// A clientHello is a ClientHello, taken apart (RFC 8446, section 4.1.2).
type clientHello struct {
	raw         []byte // the whole message
	version     uint16 // legacy_version
	random      []byte
	session     []byte
	suites      []uint16
	compression []byte
	extensions  []extension

	serverName string
	groups     []uint16
	protocols  []string
	versions   []uint16 // nil: the extension is not there
	modes      []byte   // nil: the extension is not there
	shares     []share
	hasShares  bool
	formats    []byte // of points; nil: the extension is not there
	extended   bool   // extended_master_secret
	secure     bool   // renegotiation_info, or its signalling value
	early      bool
	offer      *offer
}

// parseClientHello takes a whole message. It is strict: what OpenSSL, GnuTLS and crypto/tls
// would not send is not read with good will.
func parseClientHello(raw []byte) (*clientHello, error) {
	const what = "ClientHello"
	h := &clientHello{raw: raw}
	s := cryptobyte.String(raw)
	var session, suites, compression cryptobyte.String
	if !s.Skip(messageHeader) || !s.ReadUint16(&h.version) || !s.ReadBytes(&h.random, 32) ||
		!s.ReadUint8LengthPrefixed(&session) || len(session) > 32 ||
		!s.ReadUint16LengthPrefixed(&suites) || len(suites) == 0 ||
		!s.ReadUint8LengthPrefixed(&compression) || len(compression) == 0 {
		return nil, decodeError(what)
	}
	var ok bool
	if h.suites, ok = numbers(suites); !ok {
		return nil, decodeError(what)
	}
	h.session, h.compression = session, compression
	h.secure = slices.Contains(h.suites, scsvRenegotiation)
	if s.Empty() {
		return h, nil // TLS 1.2 without extensions (RFC 5246, section 7.4.1.2)
	}
	var err error
	if h.extensions, err = readExtensions(&s, what); err != nil {
		return nil, err
	}
	for i, e := range h.extensions {
		if e.id == extPreSharedKey && i != len(h.extensions)-1 {
			return nil, illegal("pre_shared_key is not the last extension") // RFC 8446, section 4.2.11
		}
		if err := h.take(e); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// take reads an extension; unknown ones are for others (RFC 8446, section 4.2).
func (h *clientHello) take(e extension) error {
	s := cryptobyte.String(e.data)
	ok := true
	switch e.id {
	case extServerName:
		h.serverName, ok = readServerName(e.data)
	case extGroups:
		h.groups, ok = list16(&s)
		ok = ok && s.Empty()
	case extALPN:
		h.protocols, ok = readNames(e.data)
	case extPointFormats:
		h.formats, ok = readFormats(e.data)
	case extMasterSecret:
		h.extended, ok = true, len(e.data) == 0
	case extRenegotiationInfo:
		// A first handshake has an empty one (RFC 5746, section 3.6).
		h.secure, ok = true, bytes.Equal(e.data, []byte{0})
	case extEarlyData:
		h.early, ok = true, len(e.data) == 0
	case extVersions:
		var list cryptobyte.String
		if ok = s.ReadUint8LengthPrefixed(&list) && s.Empty() && len(list) > 0; ok {
			h.versions, ok = numbers(list)
		}
	case extModes:
		var list cryptobyte.String
		ok = s.ReadUint8LengthPrefixed(&list) && s.Empty() && len(list) > 0
		h.modes = list
	case extKeyShare:
		ok = h.takeShares(s)
	case extPreSharedKey:
		ok = h.takeOffer(s)
	}
	if !ok {
		return decodeError("ClientHello")
	}
	return nil
}

// takeShares reads key_share (RFC 8446, section 4.2.8), which may be empty.
func (h *clientHello) takeShares(s cryptobyte.String) bool {
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) || !s.Empty() {
		return false
	}
	h.hasShares = true
	for !list.Empty() {
		one, ok := readShare(&list)
		if !ok {
			return false
		}
		h.shares = append(h.shares, one)
	}
	return true
}

// takeOffer reads pre_shared_key. A ticket's age, which an identity has beside it, means
// nothing for external keys and is not looked at (RFC 8446, section 4.2.11).
func (h *clientHello) takeOffer(s cryptobyte.String) bool {
	var identities, binders cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&identities) || len(identities) == 0 {
		return false
	}
	rest := len(s)
	if !s.ReadUint16LengthPrefixed(&binders) || len(binders) == 0 || !s.Empty() {
		return false
	}
	o := &offer{truncated: h.raw[:len(h.raw)-rest]}
	for !identities.Empty() {
		var identity cryptobyte.String
		var age uint32
		if !identities.ReadUint16LengthPrefixed(&identity) || len(identity) == 0 || !identities.ReadUint32(&age) {
			return false
		}
		o.identities = append(o.identities, identity)
	}
	for !binders.Empty() {
		var binder cryptobyte.String
		if !binders.ReadUint8LengthPrefixed(&binder) || len(binder) < 32 {
			return false
		}
		o.binders = append(o.binders, binder)
	}
	h.offer = o
	return len(o.identities) == len(o.binders)
}

// checkShares looks for what no client does (RFC 8446, section 4.2.8): a share of a group
// that it does not support, or two of one.
func (h *clientHello) checkShares() error {
	if len(h.shares) > maxShares {
		return illegal("%d key shares", len(h.shares))
	}
	for i, s := range h.shares {
		if !slices.Contains(h.groups, uint16(s.group)) {
			return illegal("key share of a group that was not offered")
		}
		if slices.ContainsFunc(h.shares[:i], func(o share) bool { return o.group == s.group }) {
			return illegal("two key shares of one group")
		}
	}
	return nil
}

// changed says whether a second ClientHello differs from the first in what must stay as it
// was after a HelloRetryRequest (RFC 8446, section 4.1.2).
func (h *clientHello) changed(second *clientHello) bool {
	kept := func(list []extension) []extension {
		return slices.DeleteFunc(slices.Clone(list), func(e extension) bool {
			switch e.id {
			case extKeyShare, extPreSharedKey, extCookie, extPadding, extEarlyData:
				return true
			}
			return false
		})
	}
	same := func(a, b extension) bool { return a.id == b.id && bytes.Equal(a.data, b.data) }
	return h.version != second.version || !bytes.Equal(h.random, second.random) || !bytes.Equal(h.session, second.session) ||
		!slices.Equal(h.suites, second.suites) || !bytes.Equal(h.compression, second.compression) ||
		!slices.EqualFunc(kept(h.extensions), kept(second.extensions), same)
}
