package verify

import (
	"bytes"
	"net/netip"
	"strings"
)

// derOIDUTF8Mailbox is the encoded type of an e-mail address in UTF-8 (RFC 9598).
var derOIDUTF8Mailbox = []byte{0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09}

// A subjectCheck is one value of checkHost, checkEmail or checkIP that was found in a
// certificate, with what it was found in.
type subjectCheck struct{ kind, asked, found string }

// namesPeer says whether a name is asked of the peer.
func (v *Verifier) namesPeer() bool { return len(v.Hosts)+len(v.Emails)+len(v.IPs) > 0 }

// match looks for the first name of the lists that stands in a certificate. Held says
// that a CA above may sign for some DNS names only: a common name counts then only where
// the CAs' constraints were applied to it.
func (v *Verifier) match(n *node, held bool) *subjectCheck {
	names, err := n.alternatives()
	if err != nil {
		return nil
	}
	for _, host := range v.Hosts {
		if found, ok := matchHost(n, names, host, held); ok {
			return &subjectCheck{"host", host, found}
		}
	}
	for _, address := range v.Emails {
		if matchEmail(n, names, address) {
			return &subjectCheck{"email", address, address}
		}
	}
	for _, text := range v.IPs {
		if matchIP(names, text) {
			return &subjectCheck{"ip", text, text}
		}
	}
	return nil
}

// matchHost compares as OpenSSL's X509_check_host does. A certificate without DNS names
// is matched by its common names, whatever other alternative names it has.
func matchHost(n *node, names []generalName, host string, held bool) (found string, ok bool) {
	if host == "" {
		return "", false
	}
	hasDNS := false
	for _, name := range names {
		if name.kind == dnsName {
			hasDNS = true
			if matchName(string(name.value), host) {
				return string(name.value), true
			}
		}
	}
	if hasDNS {
		return "", false
	}
	for _, cn := range valuesOf(n.RawSubject, oidCommonName) {
		if (!held || hostLike(cn.text)) && matchName(cn.text, host) {
			return cn.text, true
		}
	}
	return "", false
}

// matchName compares a name or wildcard pattern of a certificate with a host name. A host
// that starts with a dot matches all names below it.
func matchName(pattern, host string) bool {
	if pattern == "" {
		return false
	}
	if len(host) > 1 && host[0] == '.' {
		return len(pattern) >= len(host) && equalFold(pattern[len(pattern)-len(host):], host)
	}
	star := wildcard(pattern)
	if star < 0 {
		return equalFold(pattern, host)
	}
	return matchWildcard(pattern[:star], pattern[star+1:], host)
}

// wildcard gives the place of a pattern's star if it is where it counts: one, at the start
// or end of the first label, with two labels behind it, and not in an internationalised
// label, whose letters are not those that are read. Else -1.
func wildcard(pattern string) int {
	first, rest, ok := strings.Cut(pattern, ".")
	star := strings.IndexByte(first, '*')
	if !ok || star < 0 || strings.Count(pattern, "*") != 1 || !strings.Contains(rest, ".") {
		return -1
	}
	if star != 0 && star != len(first)-1 || hasPunycode(first) || hasPunycode(first[star+1:]) {
		return -1
	}
	for label := range strings.SplitSeq(pattern, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return -1
		}
		for i := range len(label) {
			if c := label[i]; !isAlnum(c) && c != '-' && c != '*' {
				return -1
			}
		}
	}
	return star
}

func hasPunycode(s string) bool { return len(s) >= 4 && equalFold(s[:4], "xn--") }

func matchWildcard(before, after, host string) bool {
	if len(host) < len(before)+len(after) {
		return false
	}
	middle := host[len(before) : len(host)-len(after)]
	if !equalFold(host[:len(before)], before) || !equalFold(host[len(host)-len(after):], after) {
		return false
	}
	whole := before == "" && after[0] == '.'
	if whole && middle == "" || !whole && hasPunycode(host) {
		return false
	}
	if middle == "*" {
		return true
	}
	for i := range len(middle) {
		if c := middle[i]; !isAlnum(c) && c != '-' {
			return false // a star is one label
		}
	}
	return true
}

// matchEmail compares local parts with case and domains without (X509_check_email). The
// subject's addresses count where there is no alternative one.
func matchEmail(n *node, names []generalName, address string) bool {
	has := false
	for _, name := range names {
		switch {
		case name.kind == emailName:
			has = true
			if equalEmail(string(name.value), address) {
				return true
			}
		case name.kind == otherName && bytes.Contains(name.value, derOIDUTF8Mailbox):
			has = true
		}
	}
	if has {
		return false
	}
	for _, v := range valuesOf(n.RawSubject, oidEmail) {
		if equalEmail(v.text, address) {
			return true
		}
	}
	return false
}

func equalEmail(a, b string) bool {
	if len(a) != len(b) || a == "" {
		return false
	}
	at := max(strings.LastIndexByte(a, '@'), strings.LastIndexByte(b, '@'))
	if at <= 0 {
		return a == b
	}
	return a[:at] == b[:at] && equalFold(a[at:], b[at:])
}

// matchIP compares addresses as they are written: one of version 4 is not the same one
// mapped into version 6.
func matchIP(names []generalName, text string) bool {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return false
	}
	for _, name := range names {
		if name.kind == ipName && bytes.Equal(name.value, addr.AsSlice()) {
			return true
		}
	}
	return false
}

// equalFold compares without the case of ASCII letters. A NUL is equal to nothing: what
// reads a name up to there would take bank.example for bank.example\0.evil.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] == 0 || lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
