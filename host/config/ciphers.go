package config

import (
	"strconv"
	"strings"
)

// The defaults of stunnel's ciphers, of 5.68 and of 5.28. A file that states them asks
// for what is done without the line.
const (
	stunnelCiphers    = "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK"
	stunnelOldCiphers = "HIGH:+3DES:+DH:!aNULL:!SSLv2"
)

// parseCiphers takes suite names with colons, commas, semicolons or blanks between, as
// OpenSSL does. Whether a suite exists is for the package that has the suites; here a
// name only has to look like one: every suite's has a dash or, in the RFCs' spelling,
// an underscore, and no alias that OpenSSL has does.
func parseCiphers(t *target, value string) *Error {
	t.service.Ciphers = nil
	if strings.EqualFold(value, stunnelCiphers) || strings.EqualFold(value, stunnelOldCiphers) {
		return nil
	}
	names := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(":,; \t", r) })
	if len(names) == 0 {
		return refuse("No cipher suite in the list", "remove the line, or name suites as in ECDHE-RSA-AES128-GCM-SHA256")
	}
	const hint = "for now name whole suites, as in ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256, " +
		"or remove the line: the default suites are safe ones"
	for _, name := range names {
		switch {
		case strings.ContainsAny(name[:1], "!-+@") || strings.Contains(name, "+"):
			return refuse(notYet+": operator in cipher string: "+strconv.Quote(name), hint)
		case !strings.ContainsAny(name, "-_") || strings.HasPrefix(name, "TLSv"):
			return refuse(notYet+": alias in cipher string: "+strconv.Quote(name), hint)
		case strings.Trim(name, letters+"-") != "":
			return refuse("Illegal cipher suite name", hint)
		}
	}
	t.service.Ciphers = names
	return nil
}
