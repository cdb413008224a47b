package flight

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A redactor takes secrets out of what was recorded. It puts words of the same length in
// their place, wherever they stand, so that lengths that a protocol counts stay true and
// a guest that is given the new words says what the transcript has.
type redactor struct {
	secrets []secret // the longest first
}

type secret struct{ text, word string }

// substitutes are the words in place of secrets, so that two of one length stay apart.
var substitutes = []string{"redacted-", "withheld-", "concealed-", "hidden-"}

// longSecret is the shortest secret that is looked for within words too. A shorter one
// would be found in the protocol's own: it is only taken where it stands alone.
const longSecret = 8

// base64Word is what may be base64 in a line.
var base64Word = regexp.MustCompile(`[A-Za-z0-9+/]{4,}={0,2}`)

// credentials are the lines of protocols that carry a password that the config may not
// have: of a client that is turned away, say, or that logs in at the server itself.
var credentials = regexp.MustCompile(`(?im)^(?:AUTH +[A-Z0-9-]+ +|PASS(?:WORD)? +|[!-~]+ +LOGIN +[!-~]+ +|[!-~]+ +AUTHENTICATE +[!-~]+ +|(?:Proxy-)?Authorization: *[!-~]+ +)([^\r\n]+)`)

// learn takes secrets as the config gives them: some are lines, some NAME:PASSWORD.
func (d *redactor) learn(value string) {
	for line := range strings.SplitSeq(value, "\n") {
		if _, password, ok := strings.Cut(line, ":"); ok && password != "" {
			line = password
		}
		d.add(line, "")
	}
}

// overhear takes secrets from what a peer said, as they are and as base64.
func (d *redactor) overhear(text string) {
	for _, part := range credentials.FindAllStringSubmatch(text, -1) {
		word := part[1]
		plain, encoding := decode(word)
		if encoding == nil || !utf8.ValidString(plain) { // a word that happens to look like base64
			d.add(word, strings.Repeat("*", len(word))) // which is no base64 either
			continue
		}
		if at := strings.LastIndexAny(plain, ":\x00"); at >= 0 {
			plain = plain[at+1:]
		}
		d.add(plain, "")
	}
}

// add knows a secret, with the word in its place; empty: the next one.
func (d *redactor) add(text, word string) {
	if text == "" || slices.ContainsFunc(d.secrets, func(s secret) bool { return s.text == text }) {
		return
	}
	if word == "" {
		sub := substitutes[len(d.secrets)%len(substitutes)]
		word = strings.Repeat(sub, len(text)/len(sub)+1)[:len(text)]
	}
	d.secrets = append(d.secrets, secret{text, word})
	slices.SortStableFunc(d.secrets, func(a, b secret) int { return len(b.text) - len(a.text) })
}

// text redacts what was said, or what is said about it.
func (d *redactor) text(s string) string {
	s = base64Word.ReplaceAllStringFunc(s, func(word string) string {
		plain, encoding := decode(word)
		if encoding == nil {
			return word
		}
		if again := d.plain(plain); again != plain {
			return encoding.EncodeToString([]byte(again))
		}
		return word
	})
	return d.plain(s)
}

func (d *redactor) plain(s string) string {
	for _, secret := range d.secrets {
		s = secret.replace(s)
	}
	return s
}

func (x secret) replace(s string) string {
	var b strings.Builder
	for {
		at := strings.Index(s, x.text)
		if at < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := at + len(x.text)
		alone := (at == 0 || !joins(s[at-1], s[at])) && (end == len(s) || !joins(s[end-1], s[end]))
		b.WriteString(s[:at])
		if alone || len(x.text) >= longSecret {
			b.WriteString(x.word)
		} else {
			b.WriteString(x.text)
		}
		s = s[end:]
	}
}

// joins tells whether two bytes are of one word.
func joins(a, b byte) bool { return letterOrDigit(a) && letterOrDigit(b) }

func letterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// decode reads base64, padded or not; without an encoding it is none.
func decode(word string) (string, *base64.Encoding) {
	encoding := base64.StdEncoding
	if len(word)%4 != 0 {
		encoding = base64.RawStdEncoding
	}
	plain, err := encoding.DecodeString(word)
	if err != nil {
		return "", nil
	}
	return string(plain), encoding
}
