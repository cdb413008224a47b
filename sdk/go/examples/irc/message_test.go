//go:build !wasm

package main

import (
	"slices"
	"testing"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		line, verb string
		params     []string
	}{
		{"", "", nil},
		{"  ", "", nil},
		{"@", "", nil},
		{":", "", nil},
		{"cap ls 302", "CAP", []string{"ls", "302"}},
		{"CAP  LS ", "CAP", []string{"LS"}},
		{"PING :", "PING", []string{""}},
		{"USER joe 0 * :Joe Bloggs", "USER", []string{"joe", "0", "*", "Joe Bloggs"}},
		{"@time=1 :irc.example.org  CAP * LS :a b:c", "CAP", []string{"*", "LS", "a b:c"}},
		{":irc.example.org @ x", "@", []string{"x"}},
	} {
		if m := parse(tt.line); m.verb != tt.verb || !slices.Equal(m.params, tt.params) {
			t.Errorf("%q: %q %q", tt.line, m.verb, m.params)
		}
	}
}

// TestAnswers holds every answer to a client's longest lines to what a line of IRC may be.
func TestAnswers(t *testing.T) {
	long := make([]byte, maxLine)
	for i := range long {
		long[i] = 'x'
	}
	for _, begin := range []string{"", "PING ", "PING :", "CAP ", "CAP REQ :", "CAP REQ ", "NICK ", "@"} {
		f := &stunnel.Fake{}
		stunnel.Use(f)
		s := &server{name: string(long[:maxName])}
		if err := s.answer(parse(begin + string(long[:maxLine-2-len(begin)]))); err != nil {
			t.Error(err)
		}
		if n := f.Out[stunnel.Accepted].Len(); n > maxLine {
			t.Errorf("%q is answered by %d bytes", begin, n)
		}
	}
}
