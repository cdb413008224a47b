package session

import (
	"encoding/binary"
	"time"
)

// A tag names a session in the table of targets. Sessions that come from each other by
// resumption share it.
type tag [16]byte

// A record is a session at rest: in a ticket, in the cache, at sessiond.
type record struct {
	issued time.Time // when it was given to the client
	begun  time.Time // when the peers last did a whole handshake
	tag    tag
	state  []byte // crypto/tls's own
}

const recordHeader = 8 + 8 + len(tag{})

// maxState is the longest state that is kept, in bytes. It holds the client's
// certificates as they came, which may be anything up to 64 KiB, the most that a ticket
// has room for. Real chains take a tenth of this; a session with a longer one is not
// resumed.
const maxState = 16 << 10

// maxBegun is how long sessions can go on from one whole handshake, each resumed from
// the one before, if the timeout is not longer: a client that proved its key, or
// somebody who took a session from it, has to prove it again each day. It takes
// handshakes with a memory of their own: see Server.Configure.
const maxBegun = 24 * time.Hour

// skew is how far machines that share secrets may be apart.
const skew = time.Minute

func (r *record) encode() []byte {
	b := make([]byte, 0, recordHeader+len(r.state))
	b = binary.BigEndian.AppendUint64(b, uint64(r.issued.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.begun.UnixMilli()))
	b = append(b, r.tag[:]...)
	return append(b, r.state...)
}

func decodeRecord(b []byte) (r record, ok bool) {
	if len(b) < recordHeader || len(b) > recordHeader+maxState {
		return r, false
	}
	r.issued = time.UnixMilli(int64(binary.BigEndian.Uint64(b)))
	r.begun = time.UnixMilli(int64(binary.BigEndian.Uint64(b[8:])))
	r.tag = tag(b[16:])
	r.state = b[recordHeader:]
	return r, true
}

// good tells whether a session can still be resumed.
func (r *record) good(now time.Time, timeout time.Duration) bool {
	age := now.Sub(r.issued)
	return age >= -skew && age <= timeout && now.Sub(r.begun) <= max(maxBegun, timeout)
}
