package record

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// maxIdleReads is how often a source may give neither bytes nor an error.
const maxIdleReads = 100

// frames lends the room of one record. A Reader has it while a record is there in part,
// or its content is not consumed: an idle connection holds none.
var frames = sync.Pool{New: func() any { return new([MaxRecord]byte) }}

// A Reader reads records. It never reads beyond the record that it gives.
type Reader struct {
	src io.Reader
	key *Key // nil: records come in the clear

	// Agreed says that both sides know the version, after which every record has
	// legacyVersion. Until then the first bytes may be of something that is not TLS.
	Agreed bool

	// Compatible lets TLS 1.3's change_cipher_spec come in the clear while there is a key,
	// which is for the handshake alone (RFC 8446, section 5).
	Compatible bool

	header [HeaderLen]byte
	frame  *[MaxRecord]byte // nil until the header is there
	n      int              // bytes of the record that are there, header included
	given  bool             // its content was given
	err    error            // for good
}

// NewReader makes a Reader without a key.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Protect takes the key of all further records.
func (r *Reader) Protect(k *Key) { r.key = k }

// Update goes on to the peer's next key.
func (r *Reader) Update() error {
	if r.key == nil {
		return errors.New("there is no key to update")
	}
	return r.key.Update()
}

// Release gives the room of the record that Next gave last back. Next does it too.
func (r *Reader) Release() {
	if !r.given {
		return
	}
	r.given, r.n = false, 0
	frames.Put(r.frame)
	r.frame = nil
}

// Next gives the next record's type and content, which is valid until the next call. At
// the source's end between two records it gives io.EOF. After a timeout of the source it
// can be called again, and goes on where it was. Every other error is for good: one that
// is about the peer's bytes is an *Error, or a tls.RecordHeaderError for bytes that are
// not TLS.
func (r *Reader) Next() (Type, []byte, error) {
	if r.err != nil {
		return 0, nil, r.err
	}
	r.Release()
	t, content, err := r.next()
	if err == nil {
		r.given = true
		return t, content, nil
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		r.err = err
		if r.frame != nil {
			frames.Put(r.frame)
			r.frame = nil
		}
	}
	return 0, nil, err
}

func (r *Reader) next() (Type, []byte, error) {
	if err := r.fill(r.header[:]); err != nil {
		if err == io.EOF && r.n > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	length := int(r.header[3])<<8 | int(r.header[4])
	if r.frame == nil {
		if err := r.check(length); err != nil {
			return 0, nil, err
		}
		r.frame = frames.Get().(*[MaxRecord]byte)
		copy(r.frame[:], r.header[:])
	}
	if err := r.fill(r.frame[:HeaderLen+length]); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return r.open(r.frame[:HeaderLen+length])
}

// fill reads until b is full, of which r.n bytes are there.
func (r *Reader) fill(b []byte) error {
	for idle := 0; r.n < len(b); {
		n, err := r.src.Read(b[r.n:])
		r.n += n
		switch {
		case n > 0:
			idle = 0 // an error beside the bytes comes again
		case err != nil:
			return err
		default:
			if idle++; idle > maxIdleReads {
				return io.ErrNoProgress
			}
		}
	}
	return nil
}

// check looks at a header before room is taken for what it announces.
func (r *Reader) check(length int) error {
	t, version := Type(r.header[0]), int(r.header[1])<<8|int(r.header[2])
	switch {
	case !r.Agreed && (t != Alert && t != Handshake && t != ChangeCipherSpec || version>>8 != legacyVersion>>8):
		return tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake", RecordHeader: r.header}
	case t < ChangeCipherSpec || t > ApplicationData:
		return &Error{UnexpectedMessage, fmt.Sprintf("received unexpected record type %d", t)}
	case r.Agreed && version != legacyVersion:
		// In TLS 1.3 the version has no meaning and the AEAD covers it; crypto/tls refuses
		// another one too, and no peer sends any.
		return &Error{ProtocolVersion, fmt.Sprintf("received record with version %x when expecting version %x", version, legacyVersion)}
	}
	limit := MaxPlaintext
	switch {
	case r.key == nil:
	case r.key.tls13:
		limit += maxExpansion
	default:
		limit += r.key.Overhead() - HeaderLen
	}
	if length > limit {
		return &Error{RecordOverflow, fmt.Sprintf("oversized record received with length %d", length)}
	}
	return nil
}

func (r *Reader) open(record []byte) (Type, []byte, error) {
	t, content := Type(record[0]), record[HeaderLen:]
	if r.key != nil && (!r.Compatible || t != ChangeCipherSpec) {
		return r.key.Open(record)
	}
	if len(content) == 0 && t != ApplicationData {
		// RFC 8446, section 5.1; RFC 5246, section 6.2.1.
		return 0, nil, &Error{UnexpectedMessage, "record without content"}
	}
	return t, content, nil
}
