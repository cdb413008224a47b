package verify

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// attributes are the short names that OpenSSL prints for a name's parts.
var attributes = map[string]string{
	"2.5.4.3":                    "CN",
	"2.5.4.4":                    "SN",
	"2.5.4.5":                    "serialNumber",
	"2.5.4.6":                    "C",
	"2.5.4.7":                    "L",
	"2.5.4.8":                    "ST",
	"2.5.4.9":                    "street",
	"2.5.4.10":                   "O",
	"2.5.4.11":                   "OU",
	"2.5.4.12":                   "title",
	"2.5.4.17":                   "postalCode",
	"2.5.4.42":                   "GN",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1":       "emailAddress",
}

// Name prints a subject or issuer as stunnel's log has it: C=PL, O=X, CN=y, in
// the certificate's own order. Control characters do not pass as they are.
func Name(n pkix.Name) string {
	var b strings.Builder
	for _, a := range n.Names {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%s", attribute(a.Type), clean(escaped(quoted(fmt.Sprint(a.Value)))))
	}
	return b.String()
}

func attribute(oid asn1.ObjectIdentifier) string {
	if s, ok := attributes[oid.String()]; ok {
		return s
	}
	return oid.String()
}

// quoted writes a value so that no other name has the same text, in OpenSSL's way: a
// common name of "x, CN=admin" must not pass for two, in a log or in a guest's policy.
func quoted(s string) string {
	quote := strings.ContainsAny(s, ",+<>;") || strings.HasPrefix(s, "#") || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ")
	s = strings.ReplaceAll(s, `\`, `\\`)
	s = strings.ReplaceAll(s, `"`, `\"`)
	if quote {
		return `"` + s + `"`
	}
	return s
}

// escaped writes control characters in hexadecimal, as OpenSSL does. A dot in their place
// would make a\x00example the name a.example.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			fmt.Fprintf(&b, `\%02X`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// clean keeps a peer's certificate from writing lines of its own into a log.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '.'
		}
		return r
	}, s)
}
