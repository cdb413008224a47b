package logging

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// MinSecret is the length in bytes under which AddSecret ignores a secret:
// replacing shorter ones would blot out ordinary words.
const MinSecret = 4

// MaxSecrets is how many secrets are remembered. Beyond that the oldest is
// forgotten, which is one of a configuration that has been replaced.
const MaxSecrets = 1024

// redacted stands where a secret stood.
const redacted = "<redacted>"

// secrets is an immutable set of texts to be kept out of the log.
type secrets struct {
	known []string            // as registered, oldest first
	forms map[uint16][]string // every form to look for, by its first two bytes
	pairs [1 << 10]uint64     // bit set of the keys of forms
}

// AddSecret has every later line show <redacted> in place of s, and of the
// base64 text that contains s, as SMTP AUTH and HTTP Basic send it: alone, or
// inside a longer text such as NUL user NUL password. Of the latter up to one
// character on either side, made of neighbouring bytes too, remains.
func (l *Log) AddSecret(s string) {
	if len(s) < MinSecret {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var known []string
	if old := l.secrets.Load(); old != nil {
		if slices.Contains(old.known, s) {
			return
		}
		known = old.known[max(0, len(old.known)+1-MaxSecrets):]
	}
	l.secrets.Store(newSecrets(append(slices.Clone(known), s)))
}

func newSecrets(known []string) *secrets {
	s := &secrets{known: known, forms: make(map[uint16][]string)}
	for _, secret := range known {
		s.add(secret)
		for _, form := range escapedForms(secret) {
			s.add(form)
		}
		s.add(base64.StdEncoding.EncodeToString([]byte(secret)))
		for shift := range 3 {
			s.add(base64Inside(secret, shift))
		}
	}
	return s
}

// escapedForms are how a secret stands in a line whose writer escaped it: with its
// backslashes doubled, as guests' lines have them, quoted, or both. What has nothing to
// escape has none.
func escapedForms(secret string) []string {
	quoted := func(s string) string {
		q := strconv.Quote(s)
		return q[1 : len(q)-1]
	}
	doubled := strings.ReplaceAll(secret, `\`, `\\`)
	var forms []string
	for _, form := range []string{doubled, quoted(secret), quoted(doubled)} {
		if form != secret && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}

func (s *secrets) add(form string) {
	pair := uint16(form[0])<<8 | uint16(form[1])
	s.forms[pair] = append(s.forms[pair], form)
	s.pairs[pair>>6] |= 1 << (pair & 63)
}

// base64Inside returns the base64 characters that depend on secret alone when
// it starts shift bytes into a group of three.
func base64Inside(secret string, shift int) string {
	padded := append(make([]byte, shift, shift+len(secret)), secret...)
	text := base64.RawStdEncoding.EncodeToString(padded)
	first := (shift*8 + 5) / 6
	return text[first : len(padded)*8/6]
}

// redact replaces what text has of s. It returns the text and a buffer for
// the next call, which is spare or the one that text came in.
func (s *secrets) redact(text, spare []byte) (out, buffer []byte) {
	copied, end := 0, 0 // text before copied is in out; a match reaches to end
	start := -1         // of the match under way
	out = spare[:0]
	for i := 0; i+1 < len(text); i++ {
		if start >= 0 && i >= end {
			out = append(append(out, text[copied:start]...), redacted...)
			copied, start = end, -1
		}
		pair := uint16(text[i])<<8 | uint16(text[i+1])
		if s.pairs[pair>>6]&(1<<(pair&63)) == 0 {
			continue
		}
		for _, form := range s.forms[pair] {
			if len(text)-i < len(form) || string(text[i:i+len(form)]) != form {
				continue
			}
			// Overlapping matches make one, or the rest of the second would show.
			if start < 0 {
				start = i
			}
			end = max(end, i+len(form))
		}
	}
	if start >= 0 {
		out = append(append(out, text[copied:start]...), redacted...)
		copied = end
	}
	if copied == 0 {
		return text, spare
	}
	return append(out, text[copied:]...), text
}
