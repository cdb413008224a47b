package record

import (
	"errors"
	"io"
	"sync"
)

// maxHeld is how many bytes of records a Writer collects before it sends them by itself.
// A handshake's flight fits.
const maxHeld = MaxRecord

// A Writer makes records and sends them. Append collects, Flush sends.
type Writer struct {
	dst  io.Writer
	key  *Key           // nil: records go in the clear
	room *[maxHeld]byte // nil while nothing is collected
	buf  []byte         // what is collected, in room
	err  error          // for good: how much of a record has left is unknown
}

// NewWriter makes a Writer without a key.
func NewWriter(dst io.Writer) *Writer { return &Writer{dst: dst} }

// Protect takes the key of all further records.
func (w *Writer) Protect(k *Key) { w.key = k }

// Update goes on to our next key. The peer must have been told by a KeyUpdate.
func (w *Writer) Update() error {
	if w.key == nil {
		return errors.New("there is no key to update")
	}
	return w.key.Update()
}

// Due says whether it is time for an Update.
func (w *Writer) Due() bool { return w.key != nil && w.key.Due() }

// Append makes records of p. Nothing but application data may be empty.
func (w *Writer) Append(t Type, p []byte) error {
	for first := true; first || len(p) > 0; first = false {
		n := min(len(p), MaxPlaintext)
		if len(w.buf) > 0 && len(w.buf)+n+MaxRecord-MaxPlaintext > maxHeld {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		if w.err != nil {
			return w.err
		}
		if err := w.seal(t, p[:n]); err != nil {
			w.err = err
			return err
		}
		p = p[n:]
	}
	return nil
}

func (w *Writer) seal(t Type, content []byte) (err error) {
	if w.room == nil {
		w.room = held.Get().(*[maxHeld]byte)
		w.buf = w.room[:0]
	}
	if w.key != nil {
		w.buf, err = w.key.Seal(w.buf, t, content)
		return err
	}
	w.buf = append(appendHeader(w.buf, t, len(content)), content...)
	return nil
}

// Flush sends what Append collected, in one write.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	if len(w.buf) == 0 {
		return nil
	}
	_, w.err = w.dst.Write(w.buf)
	held.Put(w.room)
	w.room, w.buf = nil, nil
	return w.err
}

// held lends the room for what a Writer collects.
var held = sync.Pool{New: func() any { return new([maxHeld]byte) }}
