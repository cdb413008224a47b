package service

import (
	"crypto/tls"
	"errors"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
)

// maxServerHello bounds what is kept of a server's first records until its first message is
// whole, in bytes. Real ones have some hundred, and stand in a record of 16 KiB at most.
const maxServerHello = 32 << 10

const (
	recordAlert      = 21 // RFC 5246, section 6.2.1
	recordHandshake  = 22
	messageHello     = 2      // server_hello, section 7.4
	renegotiationExt = 0xff01 // renegotiation_info (RFC 5746, section 3.2)
)

// errLegacyServer has OpenSSL's words.
var errLegacyServer = errors.New("unsafe legacy renegotiation disabled")

// A serverHello is the socket of a client's handshake. It reads along until the server has
// said whether it knows secure renegotiation (RFC 5746), which crypto/tls does not ask: with
// one that does not, somebody on the way may have sent words of his own, to which the server
// takes ours for the continuation.
type serverHello struct {
	*relay.Socket
	wire   []byte // as it came
	over   bool
	secure bool
}

func (h *serverHello) Read(p []byte) (int, error) {
	n, err := h.Socket.Read(p)
	if !h.over {
		h.wire = append(h.wire, p[:n]...)
		if h.secure, h.over = renegotiatesSafely(h.wire); h.over || len(h.wire) > maxServerHello {
			h.wire, h.over = nil, true
		}
	}
	return n, err
}

// check refuses a server that does not renegotiate safely. In TLS 1.3 nobody renegotiates.
func (h *serverHello) check(cs tls.ConnectionState) error {
	if cs.Version >= tls.VersionTLS13 || h.secure {
		return nil
	}
	return errLegacyServer
}

// renegotiatesSafely looks for the extension in the records that a server began with. It is
// over when the first message is there as a whole, or will never be.
func renegotiatesSafely(wire []byte) (safe, over bool) {
	var message []byte
	for records := cryptobyte.String(wire); !records.Empty(); {
		var kind uint8
		var version uint16
		var fragment cryptobyte.String
		if !records.ReadUint8(&kind) || !records.ReadUint16(&version) || !records.ReadUint16LengthPrefixed(&fragment) {
			break
		}
		switch kind {
		case recordAlert: // a warning that the name is not known
			continue
		case recordHandshake:
		default:
			return false, true
		}
		message = append(message, fragment...)
	}
	all := cryptobyte.String(message)
	var kind uint8
	var hello cryptobyte.String
	if !all.ReadUint8(&kind) || !all.ReadUint24LengthPrefixed(&hello) {
		return false, false
	}
	const versionAndRandom, suiteAndCompression = 2 + 32, 2 + 1
	var id, extensions, data cryptobyte.String
	if kind != messageHello || !hello.Skip(versionAndRandom) || !hello.ReadUint8LengthPrefixed(&id) ||
		!hello.Skip(suiteAndCompression) || !hello.ReadUint16LengthPrefixed(&extensions) {
		return false, true
	}
	for !extensions.Empty() {
		var number uint16
		if !extensions.ReadUint16(&number) || !extensions.ReadUint16LengthPrefixed(&data) {
			return false, true
		}
		if number == renegotiationExt {
			return true, true
		}
	}
	return false, true
}
