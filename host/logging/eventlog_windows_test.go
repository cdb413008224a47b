package logging

import "testing"

func TestEventText(t *testing.T) {
	for text, want := range map[string]string{
		"from fe80::1%4:443": "from fe80::1% 4:443", "%1%%2": "% 1%% 2", "%{S-1-1-0}": "% {S-1-1-0}",
		"100%": "100%", "%x % 1": "%x % 1", "a\x00b": "a.b",
	} {
		if got := eventText(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
