// Package record protects TLS records: it splits bytes into records, encrypts and
// authenticates them, and does the reverse, for the AEAD cipher suites of TLS 1.2
// (RFC 5246, section 6.2) and TLS 1.3 (RFC 8446, section 5). There is no handshake in it:
// keys come from outside, and what records of other types than data mean is for whoever
// reads them.
//
// A [Key] protects one direction with one key. A [Writer] makes records of bytes, a
// [Reader] gives their contents; both start without a key, as handshakes do. None of them
// is safe for concurrent use: a connection has one lock for each direction.
//
// The peer is hostile. Every length is checked before a byte is read for it, a record that
// fails in any way ends the Reader for good, and a Key that has protected as many records
// as it may refuses another one, so that no nonce is ever used twice.
package record

import "strconv"

// A Type says what a record holds (RFC 8446, section 5.1).
type Type byte

// The types that TLS 1.2 and 1.3 have.
const (
	ChangeCipherSpec Type = 20
	Alert            Type = 21
	Handshake        Type = 22
	ApplicationData  Type = 23
)

// HeaderLen is the length of a record's header: type, version, length.
const HeaderLen = 5

// MaxPlaintext is the most content that a record has (RFC 8446, section 5.1; RFC 5246,
// section 6.2.1), in bytes.
const MaxPlaintext = 1 << 14

// maxExpansion is how much longer than its content a protected record may be in TLS 1.3
// (RFC 8446, section 5.2). The AEADs of TLS 1.2 add less: at most 24 bytes.
const maxExpansion = 256

// MaxRecord is the longest record, header included.
const MaxRecord = HeaderLen + MaxPlaintext + maxExpansion

// legacyVersion is what records say whatever was agreed (RFC 8446, section 5.1). TLS 1.2
// has the same number.
const legacyVersion = 0x0303

// An AlertCode is the description of an alert (RFC 8446, section 6).
type AlertCode uint8

// The alerts that are used here and by handshakes.
const (
	CloseNotify           AlertCode = 0
	UnexpectedMessage     AlertCode = 10
	BadRecordMAC          AlertCode = 20
	RecordOverflow        AlertCode = 22
	HandshakeFailure      AlertCode = 40
	IllegalParameter      AlertCode = 47
	DecodeError           AlertCode = 50
	DecryptError          AlertCode = 51
	ProtocolVersion       AlertCode = 70
	InternalError         AlertCode = 80
	InappropriateFallback AlertCode = 86
	UserCanceled          AlertCode = 90
	MissingExtension      AlertCode = 109
	UnsupportedExtension  AlertCode = 110
	NoApplicationProtocol AlertCode = 120
)

// An Error is what is wrong with the peer's bytes, and the alert that tells the peer.
type Error struct {
	Alert  AlertCode
	Reason string // empty: the alert says it all
}

func (e *Error) Error() string {
	if e.Reason == "" {
		return "tls: alert " + strconv.Itoa(int(e.Alert))
	}
	return "tls: " + e.Reason
}
