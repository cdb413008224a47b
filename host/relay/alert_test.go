package relay

import (
	"io"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

func TestClearAlert(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, bytes string
		want        byte
	}{
		{"in the clear", "\x15\x03\x03\x00\x02\x02\x30", 48},
		{"after another record", "\x14\x03\x03\x00\x01\x01\x15\x03\x03\x00\x02\x02\x2a", 42},
		{"encrypted", "\x15\x03\x03\x00\x1a\x02\x30" + string(make([]byte, 24)), 0},
		{"of another type", "\x16\x03\x03\x00\x02\x02\x30", 0},
		{"cut", "\x15\x03\x03\x00\x02\x02", 0},
	} {
		near, far := testpeer.Pair(t)
		s := NewSocket(near)
		s.Frame()
		if _, err := io.WriteString(far, c.bytes); err != nil {
			t.Fatal(err)
		}
		far.CloseWrite()
		if got, err := io.ReadAll(s); string(got) != c.bytes || err != nil {
			t.Errorf("%s: read %q and %v", c.name, got, err)
		}
		if got := s.ClearAlert(); got != c.want {
			t.Errorf("%s: alert %d, want %d", c.name, got, c.want)
		}
	}
}
