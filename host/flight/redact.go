package flight

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
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

// credentials are what carries a password, or what one can be guessed from, that the
// config may not have: of a client that is turned away, say, or that logs in at the server
// itself.
var credentials = regexp.MustCompile(`(?im)^(?:AUTH +[A-Z0-9-]+ +|PASS(?:WORD)? +|APOP +[!-~]+ +|AUTHINFO +(?:PASS|SASL +[!-~]+) +|` +
	`[!-~]+ +LOGIN +[!-~]+ +|(?:[!-~]+ +)?AUTHENTICATE +[!-~]+ +|(?:Proxy-)?Authorization: *[!-~]+ +)(?:\{([0-9]+)\+?\}\r?\n)?([^\r\n]+)|` +
	`<(?:auth|response)\b[^<>]*>([^<>]+)<`)

// literal announces, in a line of IMAP or of sieve, bytes behind it.
var literal = regexp.MustCompile(`^\{[0-9]+\+?\}$`)

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
		word := strings.Trim(part[2]+part[3], `"`) // which of the two was found
		if literal.MatchString(word) || part[1] != "" && part[1] != strconv.Itoa(len(word)) {
			continue // a literal to come, or the next command
		}
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
	d.add(bindPassword(text), "")
	d.add(socksPassword(text), "")
}

// bindPassword finds the password of LDAP's simple bind (RFC 4511, section 4.2): version 3,
// a name, and the password as the choice 0.
func bindPassword(text string) string {
	_, rest, ok := strings.Cut(text, "\x02\x01\x03\x04")
	if !ok {
		return ""
	}
	_, rest, _ = counted(rest)
	if !strings.HasPrefix(rest, "\x80") {
		return ""
	}
	password, _, _ := counted(rest[1:])
	return password
}

// counted takes what stands behind its length in BER, of which servers take two bytes at most.
func counted(s string) (value, rest string, ok bool) {
	size, octets := 0, 0
	if s != "" {
		size = int(s[0])
		s = s[1:]
	}
	if size > 0x80 {
		size, octets = 0, size-0x80
	}
	if octets > 2 || octets > len(s) {
		return "", "", false
	}
	for _, b := range []byte(s[:octets]) {
		size = size<<8 | int(b)
	}
	if s = s[octets:]; size > len(s) {
		return "", "", false
	}
	return s[:size], s[size:], true
}

// socksPassword finds the password of SOCKS (RFC 1929, section 2): version 1, a name and
// a password, each behind a length of one byte.
func socksPassword(text string) string {
	rest, ok := strings.CutPrefix(text, "\x01")
	for range 2 {
		if !ok || rest == "" || int(rest[0]) >= len(rest) {
			return ""
		}
		text, rest = rest[1:1+int(rest[0])], rest[1+int(rest[0]):]
	}
	return text
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
