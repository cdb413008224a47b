package record

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestWriterAndReader(t *testing.T) {
	for name, key := range kinds {
		t.Run(name, func(t *testing.T) {
			var wire bytes.Buffer
			w, r := NewWriter(&wire), NewReader(iotest.OneByteReader(&wire))
			big := bytes.Repeat([]byte("0123456789"), 5000)
			for i := range 2 {
				if err := errors.Join(w.Append(Handshake, big), w.Append(Alert, []byte{1, 2}), w.Flush()); err != nil {
					t.Fatal(err)
				}
				var got []byte
				for len(got) < len(big) {
					typ, part, err := r.Next()
					if typ != Handshake || err != nil {
						t.Fatalf("type %d, %v", typ, err)
					}
					got = append(got, part...)
				}
				if typ, part, err := r.Next(); typ != Alert || string(part) != "\x01\x02" || err != nil || !bytes.Equal(got, big) {
					t.Fatalf("type %d, %x, %v", typ, part, err)
				}
				if i == 0 {
					w.Protect(key())
					r.Protect(key())
					r.Agreed = true
				}
			}
			if _, _, err := r.Next(); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
			if r.frame != nil || w.room != nil {
				t.Error("an idle connection holds a buffer")
			}
		})
	}
}

// A write that fails may have sent half a record: no further one may follow it.
func TestWriteErrorsStay(t *testing.T) {
	broken := errors.New("broken")
	w := NewWriter(failing{broken})
	if err := errors.Join(w.Append(Alert, []byte{1, 0}), w.Flush()); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	w.dst = io.Discard
	if err := w.Append(Alert, []byte{1, 0}); err != broken {
		t.Errorf("a write after one that failed: %v", err)
	}
	if err := w.Flush(); err != broken {
		t.Errorf("a flush after one that failed: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
