package psk

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseFile(t *testing.T) {
	t.Parallel()
	s, doubtful, err := ParseFile("psk.txt", strings.Join([]string{
		"hex:00112233445566778899aabbccddeeff",
		"",
		"colons:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff",
		"text:a sentence: with a colon\r",
		"odd:00112233445566778899aabbccddeeff0",
		"digits:12345678901234567890123456789012",
		"letters:deadbeefdeadbeefdeadbeefdeadbeef",
		"cases:00112233445566778899AAbbccddeeff",
		" blank : kept, as in stunnel ",
	}, "\n"))
	if err != nil || s.Len() != 8 || s.First() != "hex" {
		t.Fatalf("%d entries, %v", s.Len(), err)
	}
	sixteen := []byte("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff")
	for identity, want := range map[string][]byte{
		"hex": sixteen, "colons": sixteen, "cases": sixteen,
		"text":    []byte("a sentence: with a colon"),
		"odd":     []byte("00112233445566778899aabbccddeeff0"),
		" blank ": []byte(" kept, as in stunnel "),
	} {
		if got, ok := s.find(identity); !ok || !bytes.Equal(got, want) {
			t.Errorf("%q has %q", identity, got)
		}
	}
	if !slices.Equal(doubtful, []int{6, 7, 8}) {
		t.Errorf("doubtful are %v", doubtful)
	}
}

func TestParseFileRefuses(t *testing.T) {
	t.Parallel()
	const secret = "SECRETSECRETSECRET"
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{"a:" + secret + "\n" + secret, 2, "Not in identity:key format"},
		{":" + secret, 1, "Identity is empty"},
		{strings.Repeat("i", 257) + ":" + secret, 1, "Identity longer than 256 characters"},
		{"\n\na:SECRET", 3, "Key shorter than 16 bytes"},
		{"a:00112233445566778899aabbccddee", 1, "Key shorter than 16 bytes"},
		{"a:" + strings.Repeat(secret, 15), 1, "Key longer than 256 bytes"},
		{"a:" + strings.Repeat("0f", 257), 1, "Key longer than 256 bytes"},
		{secret + ":x" + secret + "\nb:" + secret + "\n" + secret + ":y" + secret, 3, "Identity is in line 1 already"},
	} {
		_, _, err := ParseFile("psk.txt", c.text)
		var bad *FileError
		if !errors.As(err, &bad) || bad.Line != c.line || bad.Reason != c.want || bad.File != "psk.txt" {
			t.Errorf("%v, want %q in line %d", err, c.want, c.line)
			continue
		}
		if text := err.Error() + bad.Hint; strings.Contains(text, "SECRET") || strings.Contains(text, "0f0f") {
			t.Errorf("the error has the key: %s", text)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add("alice:00112233445566778899aabbccddeeff\nbob:a key that is text\n")
	f.Add("a:b\r\n:\n::::")
	f.Fuzz(func(t *testing.T, text string) {
		s, _, err := ParseFile("f", text)
		if err != nil {
			return
		}
		if s.Len() > strings.Count(text, "\n")+1 {
			t.Errorf("%d entries", s.Len())
		}
		for _, e := range s.entries[:s.Len()] {
			if got, ok := s.find(e.Identity); !ok || !bytes.Equal(got, e.Secret) {
				t.Errorf("%q is not found", e.Identity)
			}
		}
	})
}
