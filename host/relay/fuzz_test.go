package relay

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// pieces is a connection whose reads give at most so many bytes.
type pieces struct {
	net.Conn
	rest []byte
	most int
}

func (c *pieces) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.most)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Whatever comes in whatever pieces, a framed socket gives all of it but half a
// header at the end, and no read goes beyond the record that it starts in.
func FuzzFraming(f *testing.F) {
	f.Add([]byte(record(3, 3)+record(0, 0)+record(20, 20)), uint16(1), uint16(100), false)
	f.Add([]byte(record(3, 3)+"\x17\x03"), uint16(4), uint16(3), true)
	f.Add([]byte(record(0xffff, maxRecord)), uint16(60000), uint16(60000), true)
	f.Fuzz(func(t *testing.T, text []byte, most, room uint16, nowait bool) {
		s := &Socket{Conn: &pieces{rest: text, most: int(most) + 1}, nowait: nowait}
		s.Frame()
		p := make([]byte, int(room)+1)
		var got []byte
		left := 0 // of the record that got ends in
		for {
			if nowait {
				if err := s.awaitRecord(); err != nil {
					t.Fatal(err)
				}
			}
			n, err := s.Read(p)
			for part := p[:n]; len(part) > 0; {
				if left == 0 {
					if len(got) != len(text) && len(text)-len(got) < recordHeader {
						t.Fatal("half a header was given")
					}
					left = recordHeader + int(text[len(got)+3])<<8 + int(text[len(got)+4])
					if n > left {
						t.Fatalf("a read of %d bytes begins in a record of %d", n, left)
					}
				}
				m := min(len(part), left)
				got, part, left = append(got, part[:m]...), part[m:], left-m
				if left == 0 && len(part) > 0 {
					t.Fatal("a read crosses a record's end")
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("after %d of %d bytes: %v", len(got), len(text), err)
			}
		}
		if !bytes.HasPrefix(text, got) || len(text)-len(got) >= recordHeader || left > 0 && len(got) != len(text) {
			t.Errorf("%d of %d bytes were given", len(got), len(text))
		}
		if !s.Truncated() {
			t.Error("the end was not noted")
		}
	})
}
