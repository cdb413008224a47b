package guest

import (
	"slices"
	"testing"
)

// TestOptionsArePrintable reads a manifest whose names would end a line of an error and
// turn a terminal's text around.
func TestOptionsArePrintable(t *testing.T) {
	i := &Info{Manifest: []byte("name: x\noption: guestOption = plain=1\noption: guestOption = a\x1b[2J\rb\u202e=2\n")}
	want := []string{"plain", `a\x1b[2J\x0db\u{202e}`}
	if names, told := i.Options(); !told || !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}
