package token

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Scheme starts a URI of a token's object.
const Scheme = "pkcs11:"

// A URI names an object on a token, as RFC 7512 writes it. Empty fields match anything.
type URI struct {
	Token, Manufacturer, Model, Serial string // of the token
	Slot                               uint   // if HasSlot
	HasSlot                            bool
	Object                             string // CKA_LABEL
	ID                                 []byte // CKA_ID
	Type                               string // cert, private, public ...

	// What the query says of the way to the token.
	PIN        string // pin-value; a secret
	PINSource  string // pin-source: a file
	ModulePath string
}

// IsURI tells whether a value is meant as one, whatever the case of the scheme.
func IsURI(s string) bool {
	return len(s) >= len(Scheme) && strings.EqualFold(s[:len(Scheme)], Scheme)
}

// ParseURI reads a URI. An attribute that it does not know is an error: it would narrow
// down what is meant, and leaving it out might find somebody else's key. An error never
// holds the query, where the PIN is.
func ParseURI(s string) (URI, error) {
	var u URI
	if !IsURI(s) {
		return u, fmt.Errorf("a URI of a token starts with %q", Scheme)
	}
	path, query, _ := strings.Cut(s[len(Scheme):], "?")
	if err := eachAttribute(path, ";", u.pathAttribute); err != nil {
		return URI{}, err
	}
	if err := eachAttribute(query, "&", u.queryAttribute); err != nil {
		return URI{}, err
	}
	if u.PIN != "" && u.PINSource != "" {
		return URI{}, errors.New("pin-value and pin-source exclude each other")
	}
	return u, nil
}

// eachAttribute cuts a part into NAME=VALUE and decodes the values. Names are told apart by
// case, and none may come twice (RFC 7512, section 2.3).
func eachAttribute(part, separator string, set func(name, value string) error) error {
	seen := map[string]bool{}
	if part == "" {
		return nil
	}
	for attribute := range strings.SplitSeq(part, separator) {
		name, raw, ok := strings.Cut(attribute, "=")
		if !ok {
			// Not quoted: it may be a PIN with a separator in it.
			return fmt.Errorf("an attribute of the URI is not NAME=VALUE (write %q inside a value as %%%X)", separator, separator[0])
		}
		if seen[name] {
			return fmt.Errorf("attribute %q twice", printable(name))
		}
		seen[name] = true
		value, err := url.PathUnescape(raw)
		switch {
		case err != nil:
			return fmt.Errorf("attribute %q: a percent sign without two hexadecimal digits", printable(name))
		case value == "":
			// From a template that was not filled in; it must not mean "any".
			return fmt.Errorf("attribute %q is empty", printable(name))
		case name != "id" && (!utf8.ValidString(value) || strings.ContainsRune(value, 0)):
			return fmt.Errorf("attribute %q is not UTF-8 text", printable(name))
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// The lengths of a token's fields in CK_TOKEN_INFO, in bytes: what is longer never matches.
var fieldLength = map[string]int{"token": 32, "manufacturer": 32, "model": 16, "serial": 16}

func (u *URI) pathAttribute(name, value string) error {
	if n, ok := fieldLength[name]; ok && len(value) > n {
		return fmt.Errorf("attribute %q is longer than the %d bytes that a token has", name, n)
	}
	switch name {
	case "token":
		u.Token = value
	case "manufacturer":
		u.Manufacturer = value
	case "model":
		u.Model = value
	case "serial":
		u.Serial = value
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, strconv.IntSize)
		if err != nil {
			return errors.New("slot-id is not a number")
		}
		u.Slot, u.HasSlot = uint(n), true
	case "object":
		u.Object = value
	case "id":
		u.ID = []byte(value)
	case "type":
		switch value {
		case "cert", "private", "public", "secret-key", "data":
		default:
			return fmt.Errorf("type=%s is none of cert, private, public, secret-key, data", printable(value))
		}
		u.Type = value
	default:
		return fmt.Errorf("attribute %q is not one of token, manufacturer, model, serial, slot-id, object, id, type", printable(name))
	}
	return nil
}

func (u *URI) queryAttribute(name, value string) error {
	switch name {
	case "pin-value":
		u.PIN = value
	case "pin-source":
		u.PINSource = value
	case "module-path":
		u.ModulePath = value
	default:
		return fmt.Errorf("attribute %q is not one of pin-value, pin-source, module-path", printable(name))
	}
	return nil
}

// String gives the path, without the query, which may hold a PIN.
func (u URI) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+escape(value))
		}
	}
	add("token", u.Token)
	add("manufacturer", u.Manufacturer)
	add("model", u.Model)
	add("serial", u.Serial)
	if u.HasSlot {
		add("slot-id", strconv.FormatUint(uint64(u.Slot), 10))
	}
	add("object", u.Object)
	if len(u.ID) > 0 {
		parts = append(parts, "id="+escapeAll(u.ID))
	}
	add("type", u.Type)
	return Scheme + strings.Join(parts, ";")
}

// escape encodes what would be read as syntax, and what is not printable ASCII.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && !strings.ContainsRune(`;?%&#"/\`, rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func escapeAll(id []byte) string {
	var b strings.Builder
	for _, c := range id {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// printable cuts a text for an error. A name that is no name may be part of a PIN with a
// separator in it.
func printable(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || len(s) > 32 {
		return "..."
	}
	return s
}
