package psk

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// Types of handshake messages (RFC 8446, section 4; RFC 5246, section 7.4).
const (
	typeHelloRequest        = 0
	typeClientHello         = 1
	typeServerHello         = 2
	typeNewSessionTicket    = 4
	typeEncryptedExtensions = 8
	typeServerKeyExchange   = 12
	typeServerHelloDone     = 14
	typeClientKeyExchange   = 16
	typeFinished            = 20
	typeKeyUpdate           = 24
	typeMessageHash         = 254
)

// messageHeader is the length of a handshake message's type and length.
const messageHeader = 4

// Extensions (RFC 8446, section 4.2, and RFC 5746, 7627, 8422).
const (
	extServerName        = 0
	extGroups            = 10
	extPointFormats      = 11
	extALPN              = 16
	extPadding           = 21
	extMasterSecret      = 23
	extPreSharedKey      = 41
	extEarlyData         = 42
	extVersions          = 43
	extCookie            = 44
	extModes             = 45
	extKeyShare          = 51
	extRenegotiationInfo = 0xff01
)

// Signalling values among cipher suites (RFC 5746, section 3.3; RFC 7507).
const (
	scsvRenegotiation = 0x00ff
	scsvFallback      = 0x5600
)

// modeDHE is psk_dhe_ke (RFC 8446, section 4.2.9).
const modeDHE = 1

// An extension is one of a message's, in its place.
type extension struct {
	id   uint16
	data []byte
}

func decodeError(what string) error {
	return &record.Error{Alert: record.DecodeError, Reason: "malformed " + what}
}

func illegal(format string, args ...any) error {
	return &record.Error{Alert: record.IllegalParameter, Reason: fmt.Sprintf(format, args...)}
}

// internal is for what is wrong on our side.
func internal(err error) error {
	return &record.Error{Alert: record.InternalError, Reason: err.Error()}
}

func unexpected(format string, args ...any) error {
	return &record.Error{Alert: record.UnexpectedMessage, Reason: "received unexpected " + fmt.Sprintf(format, args...)}
}

// message puts a handshake message together.
func message(typ byte, body func(b *cryptobyte.Builder)) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint8(typ)
	b.AddUint24LengthPrefixed(body)
	return b.Bytes()
}

// readExtensions reads the extensions at a message's end.
func readExtensions(s *cryptobyte.String, what string) ([]extension, error) {
	var all cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&all) || !s.Empty() {
		return nil, decodeError(what)
	}
	var list []extension
	for !all.Empty() {
		var e extension
		var data cryptobyte.String
		if !all.ReadUint16(&e.id) || !all.ReadUint16LengthPrefixed(&data) {
			return nil, decodeError(what)
		}
		e.data = data
		list = append(list, e)
	}
	if id, twice := repeated(list); twice {
		// RFC 8446, section 4.2: no type twice. One reader of the message could see the
		// first, another the second.
		return nil, illegal("%s has extension %d twice", what, id)
	}
	return list, nil
}

// repeated gives an extension that is there twice. It sorts: a message has room for
// thousands of extensions, and to compare each with each would be the peer's to order.
func repeated(list []extension) (id uint16, twice bool) {
	ids := make([]uint16, len(list))
	for i, e := range list {
		ids[i] = e.id
	}
	slices.Sort(ids)
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			return ids[i], true
		}
	}
	return 0, false
}

func has(list []extension, id uint16) bool {
	return slices.ContainsFunc(list, func(e extension) bool { return e.id == id })
}

func addExtension(b *cryptobyte.Builder, id uint16, data func(b *cryptobyte.Builder)) {
	b.AddUint16(id)
	b.AddUint16LengthPrefixed(data)
}

func nothing(*cryptobyte.Builder) {}

// list16 reads a vector of 16-bit numbers that must have at least one.
func list16(s *cryptobyte.String) ([]uint16, bool) {
	var all cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&all) || len(all) == 0 {
		return nil, false
	}
	return numbers(all)
}

func numbers(all cryptobyte.String) ([]uint16, bool) {
	var list []uint16
	for !all.Empty() {
		var n uint16
		if !all.ReadUint16(&n) {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

// A share is a public value of the ephemeral exchange.
type share struct {
	group tls.CurveID
	data  []byte
}

func readShare(s *cryptobyte.String) (share, bool) {
	var group uint16
	var data cryptobyte.String
	ok := s.ReadUint16(&group) && s.ReadUint16LengthPrefixed(&data) && len(data) > 0
	return share{tls.CurveID(group), data}, ok
}

func addShare(b *cryptobyte.Builder, s share) {
	b.AddUint16(uint16(s.group))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.data) })
}

// readFormats reads ec_point_formats (RFC 8422, section 5.1.2).
func readFormats(data []byte) ([]byte, bool) {
	s := cryptobyte.String(data)
	var list cryptobyte.String
	ok := s.ReadUint8LengthPrefixed(&list) && s.Empty() && len(list) > 0
	return list, ok
}

// uncompressed says whether a peer's formats have the one in which points are here. A peer
// that does not list any has it.
func uncompressed(formats []byte) bool {
	return formats == nil || slices.Contains(formats, 0)
}

// readNames reads the list of ALPN (RFC 7301, section 3.1).
func readNames(data []byte) ([]string, bool) {
	s := cryptobyte.String(data)
	var all cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&all) || !s.Empty() || all.Empty() {
		return nil, false
	}
	var names []string
	for !all.Empty() {
		var name cryptobyte.String
		if !all.ReadUint8LengthPrefixed(&name) || name.Empty() {
			return nil, false
		}
		names = append(names, string(name))
	}
	return names, true
}

func addNames(b *cryptobyte.Builder, names ...string) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, n := range names {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(n)) })
		}
	})
}

// readServerName reads a client's server_name (RFC 6066, section 3), with crypto/tls's
// rules: one host name, no trailing dot.
func readServerName(data []byte) (string, bool) {
	s := cryptobyte.String(data)
	var all, name cryptobyte.String
	var kind uint8
	if !s.ReadUint16LengthPrefixed(&all) || !s.Empty() || all.Empty() {
		return "", false
	}
	var found string
	for !all.Empty() {
		if !all.ReadUint8(&kind) || !all.ReadUint16LengthPrefixed(&name) || name.Empty() {
			return "", false
		}
		if kind != 0 {
			continue
		}
		if found != "" || strings.HasSuffix(string(name), ".") || strings.ContainsRune(string(name), 0) {
			return "", false
		}
		found = string(name)
	}
	return found, true
}
