package tlsconf

import (
	"crypto/tls"
	"slices"
	"strconv"
	"testing"
)

// TestForALPN has a guest name other protocols each time: each is what it asked for, and
// what it asked for first shares sessions, but not all of them are kept.
func TestForALPN(t *testing.T) {
	c := &Context{Config: &tls.Config{ServerName: "example.org"}}
	if c.forALPN(nil) != c.Config {
		t.Error("no protocols have a configuration of their own")
	}
	first := c.forALPN([]string{"a", "b"})
	for i := range 10 * keptALPN {
		names := []string{"x" + strconv.Itoa(i)}
		if got := c.forALPN(names); !slices.Equal(got.NextProtos, names) || got.ServerName != "example.org" {
			t.Errorf("protocols %q of %q, want %q", got.NextProtos, got.ServerName, names)
		}
	}
	if c.forALPN([]string{"a", "b"}) != first {
		t.Error("the same protocols have another configuration")
	}
	if n := len(c.alpn.kept); n > keptALPN {
		t.Errorf("%d configurations are kept, want at most %d", n, keptALPN)
	}
}
