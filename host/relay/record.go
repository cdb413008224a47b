package relay

import (
	"io"
	"net"
)

// recordHeader is the length of a TLS record's header (RFC 8446, section 5.1).
const recordHeader = 5

// alertRecord is the record type of alerts. Encrypted alerts have it in TLS 1.2
// only, and are longer than two bytes there.
const alertRecord = 21

// maxRecord is the longest TLS record, header included: TLS 1.2 lets the
// ciphertext be 2048 bytes longer than 2^14 (RFC 5246, section 6.2.3).
const maxRecord = recordHeader + 1<<14 + 2048

// errAgain tells crypto/tls that no whole record is there yet. It is temporary,
// which keeps crypto/tls from taking it for the connection's end.
var errAgain net.Error = again{}

type again struct{}

func (again) Error() string { return "no whole record is buffered" }

func (again) Timeout() bool { return true }

func (again) Temporary() bool { return true }

// Frame makes Read hand out at most the rest of one TLS record at a time. Under
// crypto/tls this keeps whatever follows a record here, where Buffered sees it,
// instead of in a buffer of crypto/tls that nobody can look into. Call it before
// the first Read that TLS does.
func (s *Socket) Frame() { s.framed = true }

// ClearAlert gives the description of the last alert that came unencrypted
// (RFC 8446, section 6), 0 for none. A client that refuses a TLS 1.3 server's
// certificate may not have keys to encrypt its alert with; OpenSSL takes it all
// the same, where crypto/tls sees a bad record MAC. Anybody on the way can forge
// it: it is good for a log line, and for nothing else.
func (s *Socket) ClearAlert() byte { return s.alert }

// payload is the length that the record header at the front of the buffer says.
func (s *Socket) payload() int { return int(s.buf[s.r+3])<<8 | int(s.buf[s.r+4]) }

// awaitRecord blocks until a whole TLS record is buffered, or what can never
// become one: then crypto/tls says what is wrong with it.
func (s *Socket) awaitRecord() error {
	for !s.hasRecord() {
		if err := s.fill(); err != nil {
			if err == io.EOF {
				return nil // crypto/tls tells a clean end from a cut
			}
			return err
		}
	}
	return nil
}

// hasRecord says whether the next TLS record is buffered as a whole.
func (s *Socket) hasRecord() bool {
	need := s.left
	if need == 0 {
		if s.Buffered() < recordHeader {
			return s.eof
		}
		need = recordHeader + s.payload()
	}
	return s.Buffered() >= min(need, maxRecord) || s.eof
}

// Truncated says whether the peer's FIN was read. Asked after crypto/tls
// reported the end of the stream, it tells a connection that was cut (or closed
// by a peer that sends no close_notify) from one that was closed: crypto/tls
// itself reports both alike at a record's end.
func (s *Socket) Truncated() bool { return s.eof }
