package config

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Session holds the options about resumption.
type Session struct {
	Resume    bool
	CacheSize int           // sessions; 0: no limit
	Timeout   time.Duration // of a session
	Sessiond  Address       // zero: none

	// TicketKey and TicketMAC are 16 or 32 bytes each, or both nil.
	TicketKey, TicketMAC []byte
}

// ticketSecret takes 16 or 32 bytes in hexadecimal digits, as OpenSSL reads them: colons
// may stand around bytes.
func ticketSecret(name string, store func(t *target, secret []byte)) parser {
	const hint = `write 32 or 64 hexadecimal digits, as "openssl rand -hex 32" gives them`
	return func(t *target, value string) *Error {
		var secret []byte
		digits, ok := value, value != ""
		for ok && digits != "" {
			if rest, colon := strings.CutPrefix(digits, ":"); colon {
				digits = rest
				continue
			}
			if ok = len(digits) >= 2; !ok {
				break
			}
			b, err := hex.DecodeString(digits[:2])
			ok = err == nil
			secret, digits = append(secret, b...), digits[2:]
		}
		switch {
		case !ok:
			return refuse("Required "+name+" is 16 or 32 byte hexadecimal key", hint)
		case len(secret) != 16 && len(secret) != 32:
			return refuse(fmt.Sprintf("%s value has %d bytes instead of required 16 or 32 bytes", name, len(secret)), hint)
		}
		store(t, secret)
		return nil
	}
}

// parseSessiond takes an address that UDP can reach.
func parseSessiond(t *target, value string) *Error {
	a, err := ParseAddress(value, false)
	if err != nil || a.Unix != "" {
		return refuse("Failed to resolve sessiond server address", "write [HOST:]PORT: sessiond is reached by UDP")
	}
	t.service.Session.Sessiond = a
	return nil
}

// checkSession finds a ticket secret without the other.
func checkSession(s *Service, st *state) *Error {
	if s.Client || (s.Session.TicketKey == nil) == (s.Session.TicketMAC == nil) || st.refused("ticketkeysecret", "ticketmacsecret", "client") {
		return nil
	}
	return s.Errorf("", `"ticketKeySecret" and "ticketMacSecret" must be set together`).
		WithHint("add the other, with 32 or 64 hexadecimal digits of its own")
}
