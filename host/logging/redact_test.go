package logging

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := []struct {
		name    string
		secrets []string
		in      string
		want    string
	}{
		{"plain", []string{"hunter22"}, "PASS hunter22 sent", "PASS <redacted> sent"},
		{"whole line", []string{"hunter22"}, "hunter22", "<redacted>"},
		{"twice", []string{"hunter22"}, "hunter22hunter22 x hunter22", "<redacted><redacted> x <redacted>"},
		{"absent", []string{"hunter22"}, "hunter2 hunter", "hunter2 hunter"},
		{"too short", []string{"abc"}, "abc", "abc"},
		{"AUTH LOGIN", []string{"hunter2"}, b64("hunter2"), "<redacted>"},
		{"overlapping", []string{"abcdef", "cdefgh"}, "xabcdefghy", "x<redacted>y"},
		{"one in another", []string{"pass", "password1"}, "password1 pass", "<redacted> <redacted>"},
		{"several", []string{"first1", "second"}, "second first1", "<redacted> <redacted>"},
		{"with a line feed", []string{"ab\ncd"}, "ab\ncd", "<redacted>"},
		{"across the cut", []string{strings.Repeat("s", 2000)}, strings.Repeat("s", 2000), "<redacted>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := New()
			for _, s := range test.secrets {
				l.AddSecret(s)
			}
			r := &record{text: []byte(test.in)}
			l.clean(r)
			if got := string(r.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestRedactInsideBase64 goes through every alignment that a password can
// have in AUTH PLAIN, where it follows the user's name.
func TestRedactInsideBase64(t *testing.T) {
	for length := MinSecret; length < MinSecret+6; length++ {
		secret := "Tr0ub4dor&3"[:length]
		l := New()
		l.AddSecret(secret)
		for user := range 6 {
			plain := "\x00" + "martin"[:user] + "\x00" + secret
			text := base64.StdEncoding.EncodeToString([]byte(plain))
			r := &record{text: []byte("AUTH PLAIN " + text)}
			l.clean(r)
			got := string(r.text)
			if !strings.Contains(got, redacted) {
				t.Errorf("secret of %d bytes, user of %d: %q", length, user, got)
			}
			// One character on either side, and padding, may remain of it.
			before := (len(plain) - len(secret)) * 8 / 6
			kept := len(got) - len("AUTH PLAIN "+redacted)
			if padding := strings.Count(text, "="); kept > before+2+padding {
				t.Errorf("secret of %d bytes, user of %d: %d characters kept in %q", length, user, kept, got)
			}
		}
	}
}

func TestAddSecretForgetsTheOldest(t *testing.T) {
	l := New()
	for i := range MaxSecrets + 1 {
		l.AddSecret(fmt.Sprintf("secret-%06d", i))
		l.AddSecret(fmt.Sprintf("secret-%06d", i)) // counts once
	}
	r := &record{text: fmt.Appendf(nil, "secret-%06d secret-%06d secret-%06d", 0, 1, MaxSecrets)}
	l.clean(r)
	if got, want := string(r.text), "secret-000000 <redacted> <redacted>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzRedact checks that a registered secret never survives, wherever it is.
func FuzzRedact(f *testing.F) {
	f.Add("hunter22", "before ", " after")
	f.Add("aaaa", "aaa", "aaaaa")
	f.Add("red<acted", "<redacted>", "<")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		// The replacement may spell such a secret together with the rest.
		if len(secret) < MinSecret || strings.ContainsAny(secret, redacted) {
			return
		}
		s := newSecrets([]string{secret})
		out, spare := s.redact([]byte(before+secret+after), nil)
		if strings.Contains(string(out), secret) || !strings.Contains(string(out), redacted) {
			t.Fatalf("%q left of %q", out, before+secret+after)
		}
		again, _ := s.redact([]byte(before+secret+after), spare)
		if string(again) != string(out) {
			t.Fatalf("%q the second time, %q the first", again, out)
		}
	})
}

// A secret is not shown for being escaped on its way into a line.
func TestEscapedSecretsAreRedacted(t *testing.T) {
	const secret = `pa\ss"w\u0301rd`
	s := newSecrets([]string{secret})
	doubled := strings.ReplaceAll(secret, `\`, `\\`)
	for _, line := range []string{secret, doubled, fmt.Sprintf("%q", secret), fmt.Sprintf("%q", doubled)} {
		out, _ := s.redact([]byte("a "+line+" b"), nil)
		if got := strings.ReplaceAll(string(out), `"`, ""); got != "a "+redacted+" b" {
			t.Errorf("%s: got %s", line, out)
		}
	}
	if forms := escapedForms("plain word"); len(forms) != 0 {
		t.Errorf("a plain word has the forms %q", forms)
	}
}
