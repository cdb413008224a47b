package psk

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A FileError is what is wrong with a line of a file of keys. It never quotes the line.
type FileError struct {
	File   string
	Line   int
	Reason string
	Hint   string // what to do; empty: the reason says it
}

func (e *FileError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// ParseFile reads stunnel's file of keys: a line identity:key for each. A key that can be
// read as hexadecimal digits is taken as such, as stunnel does since 5.41; any other one is
// the bytes of its text. Empty lines mean nothing.
//
// Doubtful lists the lines whose key is hexadecimal but looks as if somebody had made it up
// as text, which older stunnels took it for.
func ParseFile(name, text string) (s *Secrets, doubtful []int, err error) {
	var entries []Entry
	seen := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		refuse := func(hint, format string, args ...any) error {
			return &FileError{name, i + 1, fmt.Sprintf(format, args...), hint}
		}
		identity, key, ok := strings.Cut(line, ":")
		if !ok {
			return nil, nil, refuse("", "Not in identity:key format")
		}
		if identity == "" {
			return nil, nil, refuse("write a name in front of the colon", "Identity is empty")
		}
		if len(identity) > MaxIdentity {
			return nil, nil, refuse("", "Identity longer than %d characters", MaxIdentity)
		}
		secret, isHex := unhex(key)
		if !isHex {
			secret = []byte(key)
		}
		switch {
		case len(secret) > MaxSecret:
			return nil, nil, refuse("", "Key longer than %d bytes", MaxSecret)
		case len(secret) < MinSecret && isHex:
			return nil, nil, refuse(`two hexadecimal digits are one byte; "openssl rand -hex 32" gives a good key`, "Key shorter than %d bytes", MinSecret)
		case len(secret) < MinSecret:
			return nil, nil, refuse(`"openssl rand -hex 32" gives a good key`, "Key shorter than %d bytes", MinSecret)
		}
		if before, twice := seen[identity]; twice {
			return nil, nil, refuse("remove one of the two", "Identity is in line %d already", before)
		}
		seen[identity] = i + 1
		if isHex && madeUp(key) {
			doubtful = append(doubtful, i+1)
		}
		entries = append(entries, Entry{identity, secret})
	}
	s, err = NewSecrets(entries)
	return s, doubtful, err
}

// unhex reads hexadecimal digits as OpenSSL's OPENSSL_hexstr2buf does: in pairs, with
// colons around them.
func unhex(text string) ([]byte, bool) {
	var b []byte
	for part := range strings.SplitSeq(text, ":") {
		digits, err := hex.DecodeString(part)
		if err != nil {
			return nil, false
		}
		b = append(b, digits...)
	}
	return b, len(b) > 0
}

// madeUp tells digits that hardly a generator wrote: of ten kinds only, without any of the
// ten, or with letters of both cases.
func madeUp(key string) bool {
	digits := strings.ContainsAny(key, "0123456789")
	lower, upper := strings.ContainsAny(key, "abcdef"), strings.ContainsAny(key, "ABCDEF")
	return !digits || !lower && !upper || lower && upper
}
