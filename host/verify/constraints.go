package verify

import (
	"bytes"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Verdicts on names below a constrained CA, in OpenSSL's words.
const (
	notPermitted   = "permitted subtree violation"
	excluded       = "excluded subtree violation"
	unknownKind    = "unsupported name constraint type"
	badSyntax      = "unsupported or invalid name syntax"
	minimumMaximum = "name constraints minimum and maximum not supported"
)

// maxComparisons bounds how often a name is held against a subtree in one path. A peer
// chooses both where its CA does not matter, and one handshake could be made to compare for
// seconds. OpenSSL stops at four times as many for each CA; the largest real certificates need
// a tenth.
const maxComparisons = 1 << 18

// constraints are the subtrees of a CA (RFC 5280 section 4.2.1.10). Directory names are
// canonical.
type constraints struct{ permitted, excluded []generalName }

// nameConstraints goes down a path and holds every certificate to what the CAs above it
// may sign for. Self-issued ones are held to nothing, except for the last. crypto/x509
// does not look at subjects; there a common name that stands in for a DNS name, and an
// e-mail address, would pass.
func (p *path) nameConstraints(fail func(depth int, reason string) error) error {
	var above []constraints
	left := maxComparisons
	for depth := len(p.certs) - 1; depth >= 0; depth-- {
		n := p.certs[depth]
		if len(above) > 0 && (depth == 0 || !n.selfIssued()) {
			if reason := violates(n, above, depth == 0, &left); reason != "" {
				if err := fail(depth, reason); err != nil {
					return err
				}
			}
		}
		if ext := n.extension(oidNameConstraints); ext != nil {
			c, reason := parseConstraints(ext)
			if reason != "" {
				if err := fail(depth, reason); err != nil {
					return err
				}
			}
			above = append(above, c)
		}
	}
	return nil
}

// holdsDNS says whether a CA above the peer's certificate is held to DNS names.
func (p *path) holdsDNS() bool {
	for _, n := range p.certs[1:] {
		if len(n.PermittedDNSDomains)+len(n.ExcludedDNSDomains) > 0 {
			return true
		}
	}
	return false
}

func parseConstraints(ext []byte) (c constraints, reason string) {
	input, seq := cryptobyte.String(ext), cryptobyte.String{}
	if !input.ReadASN1(&seq, asn1.SEQUENCE) || !input.Empty() {
		return c, badSyntax
	}
	for i, list := range []*[]generalName{&c.permitted, &c.excluded} {
		var trees, tree cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&trees, &present, asn1.Tag(i).ContextSpecific().Constructed()) {
			return c, badSyntax
		}
		for !trees.Empty() {
			if !trees.ReadASN1(&tree, asn1.SEQUENCE) {
				return c, badSyntax
			}
			name, ok := readGeneralName(&tree)
			if !ok {
				return c, badSyntax
			}
			// DER leaves a minimum of 0 out, and no profile has a maximum.
			if !tree.Empty() {
				return c, minimumMaximum
			}
			if !name.settle() {
				return c, badSyntax
			}
			*list = append(*list, name)
		}
	}
	if !seq.Empty() {
		return c, badSyntax
	}
	return c, ""
}

// violates says which of the constraints above a certificate it does not keep. Left is how
// many comparisons there may still be.
func violates(n *node, above []constraints, leaf bool, left *int) string {
	names, err := n.alternatives()
	if err != nil {
		return badSyntax
	}
	hasDNS := false
	for i := range names {
		if !names[i].settle() {
			return badSyntax
		}
		hasDNS = hasDNS || names[i].kind == dnsName
	}
	if n.subject != "" {
		names = append(names, generalName{directoryName, []byte(n.subject)})
	}
	for _, v := range valuesOf(n.RawSubject, oidEmail) {
		if v.tag != asn1.IA5String {
			return badSyntax
		}
		names = append(names, generalName{emailName, []byte(v.text)})
	}
	if leaf && !hasDNS {
		for _, v := range valuesOf(n.RawSubject, oidCommonName) {
			// What reads the name as a C string would see another one.
			if strings.ContainsRune(strings.TrimRight(v.text, "\x00"), 0) {
				return badSyntax
			}
			if hostLike(v.text) {
				names = append(names, generalName{dnsName, []byte(v.text)})
			}
		}
	}
	for i := len(above) - 1; i >= 0; i-- {
		if *left -= len(names) * (len(above[i].permitted) + len(above[i].excluded)); *left < 0 {
			return "unspecified certificate verification error"
		}
		for _, name := range names {
			if reason := above[i].check(name); reason != "" {
				return reason
			}
		}
	}
	return ""
}

func (c *constraints) check(name generalName) string {
	kind := name.kind
	if kind == otherName && bytes.Contains(name.value, derOIDUTF8Mailbox) {
		kind = emailName
	}
	asked, inside := false, false
	for _, base := range c.permitted {
		if base.kind != kind {
			continue
		}
		asked = true
		ok, reason := within(name, base)
		if reason != "" {
			return reason
		}
		inside = inside || ok
	}
	if asked && !inside {
		return notPermitted
	}
	for _, base := range c.excluded {
		if base.kind != kind {
			continue
		}
		ok, reason := within(name, base)
		if reason != "" {
			return reason
		}
		if ok {
			return excluded
		}
	}
	return ""
}

// settle puts a directory name into its canonical form.
func (g *generalName) settle() bool {
	if g.kind != directoryName {
		return true
	}
	text, err := canonical(g.value)
	g.value = []byte(text)
	return err == nil
}

// within says whether a name lies in a subtree of its kind.
func within(name, base generalName) (ok bool, reason string) {
	n, b := string(name.value), string(base.value)
	switch {
	case name.kind != base.kind:
		return false, unknownKind // a mailbox in UTF-8, which is not compared here
	case base.kind == directoryName:
		return strings.HasPrefix(n, b), ""
	case base.kind == dnsName:
		return withinDNS(n, b), ""
	case base.kind == emailName:
		return withinEmail(n, b)
	case base.kind == uriName:
		return withinURI(n, b)
	case base.kind == ipName:
		return withinIP(name.value, base.value), ""
	}
	return false, unknownKind
}

func withinDNS(n, b string) bool {
	if b == "" {
		return true
	}
	rest := len(n) - len(b)
	if rest < 0 || !equalFold(n[rest:], b) {
		return false
	}
	return rest == 0 || b[0] == '.' || n[rest-1] == '.'
}

func withinEmail(n, b string) (bool, string) {
	at := strings.LastIndexByte(n, '@')
	if at < 0 {
		return false, badSyntax
	}
	local, domain, hasLocal := "", b, false
	if i := strings.LastIndexByte(b, '@'); i >= 0 {
		local, domain, hasLocal = b[:i], b[i+1:], true
	}
	if !hasLocal && strings.HasPrefix(b, ".") {
		return len(n) > len(b) && equalFold(n[len(n)-len(b):], b), ""
	}
	if hasLocal && local != "" && local != n[:at] {
		return false, ""
	}
	return equalFold(n[at+1:], domain), ""
}

func withinURI(n, b string) (bool, string) {
	_, rest, ok := strings.Cut(n, "://")
	host := rest
	if i := strings.IndexAny(rest, ":/"); i >= 0 {
		host = rest[:i]
	}
	// A user's name before the host could pass for it, and a query behind it hide it.
	if !ok || host == "" || strings.ContainsAny(host, "@?#") {
		return false, badSyntax
	}
	if strings.HasPrefix(b, ".") {
		return len(host) > len(b) && equalFold(host[len(host)-len(b):], b), ""
	}
	return equalFold(host, b), ""
}

func withinIP(ip, base []byte) bool {
	if len(base) != 2*len(ip) {
		return false
	}
	for i := range ip {
		if (ip[i]^base[i])&base[len(ip)+i] != 0 {
			return false
		}
	}
	return true
}

// hostLike says whether a common name reads as a host name of two labels or more.
func hostLike(s string) bool {
	dots := false
	s = strings.TrimRight(s, "\x00")
	for i := range len(s) {
		c := s[i]
		inner := i > 0 && i < len(s)-1
		switch {
		case isAlnum(c), c == '_', inner && c == '-':
		case inner && c == '.' && s[i+1] != '.' && s[i-1] != '-' && s[i+1] != '-':
			dots = true
		default:
			return false
		}
	}
	return dots
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
