package wrap

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
)

// A matcher holds one request against one rule.
type matcher struct {
	ctx context.Context
	r   *Request
	say func(string)

	lists  map[string]file[[]string]
	broken bool // a list that was looked at could not be read
}

// list says whether an item matches before EXCEPT, and none of the list behind it does.
func (m *matcher) list(items []string, match func(string) bool) bool {
	for i, item := range items {
		if strings.EqualFold(item, "EXCEPT") {
			return false
		}
		if !match(item) {
			continue
		}
		for j := i + 1; j < len(items); j++ {
			if strings.EqualFold(items[j], "EXCEPT") {
				return !m.list(items[j+1:], match)
			}
		}
		return true
	}
	return false
}

// daemon matches DAEMON or DAEMON@ADDRESS.
func (m *matcher) daemon(item string) bool {
	i := at(item)
	if i == 0 {
		return m.text(item, m.r.Daemon)
	}
	return m.text(item[:i], m.r.Daemon) && m.host(item[i+1:], m.r.Server, m.serverName)
}

// client matches HOST or USER@HOST. The host first: whose user it is, only the right host
// is asked.
func (m *matcher) client(item string) bool {
	i := at(item)
	if i == 0 {
		return m.host(item, m.r.Client, m.name)
	}
	return m.host(item[i+1:], m.r.Client, m.name) && m.text(item[:i], m.userName())
}

// at finds the @ that parts an item; 0: none. One in front is a netgroup's.
func at(item string) int { return 1 + strings.IndexByte(item[1:], '@') }

// host matches a pattern with a host's address and, where that needs it, its name.
func (m *matcher) host(item string, addr netip.Addr, name func() string) bool {
	known := func() bool { return name() != unknown && name() != paranoid }
	switch {
	case strings.HasPrefix(item, "@"):
		m.say("netgroup " + strconv.Quote(item) + " is not supported here and matches nobody")
		return false
	case strings.HasPrefix(item, "/"):
		return m.file(item, addr, name)
	case strings.EqualFold(item, "KNOWN"):
		return known()
	case strings.EqualFold(item, "LOCAL"):
		return known() && !strings.Contains(name(), ".")
	case strings.Contains(item, "/"):
		return m.network(item, addr)
	}
	address := unknown
	if addr.IsValid() {
		address = addr.String()
	}
	return m.text(item, address) || strings.Trim(item, "0123456789./") != "" && m.text(item, name())
}

// file matches the patterns that a file lists.
func (m *matcher) file(path string, addr netip.Addr, name func() string) bool {
	f := m.lists[path]
	if f.err != nil {
		m.say(f.err.Error() + ": the client is refused")
		m.broken = true
	}
	for _, item := range f.content {
		// One level: a file that named itself would have no end.
		if !strings.HasPrefix(item, "/") && m.host(item, addr, name) {
			return true
		}
	}
	return false
}

// network matches NET/MASK, NET/BITS and [IPV6]/BITS. A network with bits beyond its mask
// matches nobody, as in libwrap. The link that a link-local client comes in on is part of its
// address here and of no network's: a rule against [fe80::]/10 would refuse nobody.
func (m *matcher) network(item string, addr netip.Addr) bool {
	netText, maskText, _ := strings.Cut(item, "/")
	base, six := strings.CutPrefix(netText, "[")
	if six {
		base = strings.TrimSuffix(base, "]")
	}
	network, err := netip.ParseAddr(base)
	if err != nil || network.Is4() == six {
		m.say("bad net/mask expression " + strconv.Quote(item))
		return false
	}
	bits, err := strconv.Atoi(maskText)
	if err != nil {
		mask, e := netip.ParseAddr(maskText)
		if e != nil || !mask.Is4() || six {
			m.say("bad net/mask expression " + strconv.Quote(item))
			return false
		}
		return addr.Is4() && and(addr, mask) == network
	}
	p, err := network.Prefix(bits)
	// All of IPv4 is ALL; libwrap has no /0 for it.
	if err != nil || strings.Trim(maskText, "0123456789") != "" || bits == 0 && !six {
		m.say("bad net/mask expression " + strconv.Quote(item))
		return false
	}
	return p.Contains(addr.WithZone("")) && (six || p.Addr() == network)
}

// and masks an IPv4 address; a mask may have holes.
func and(a, mask netip.Addr) netip.Addr {
	x, y := a.As4(), mask.As4()
	for i := range x {
		x[i] &= y[i]
	}
	return netip.AddrFrom4(x)
}

// text matches a pattern with a name or an address, without case.
func (m *matcher) text(pattern, s string) bool {
	lower, s := strings.ToLower(pattern), strings.ToLower(s)
	switch {
	case strings.ContainsAny(lower, "*?"):
		return wild(lower, s)
	case strings.HasPrefix(lower, "."):
		return len(s) > len(lower) && strings.HasSuffix(s, lower)
	case lower == "all":
		return true
	case lower == "known":
		return s != unknown
	case strings.HasSuffix(lower, "."):
		return strings.HasPrefix(s, lower)
	case strings.HasPrefix(lower, "[") && strings.HasSuffix(lower, "]"):
		a, err1 := netip.ParseAddr(lower[1 : len(lower)-1])
		b, err2 := netip.ParseAddr(s)
		return err1 == nil && err2 == nil && a.Is6() && a.WithZone("") == b.WithZone("")
	}
	return lower == s
}

// wild matches a pattern in which * is any text and ? any character.
func wild(pattern, s string) bool {
	// Where the last star could take one character more.
	star, retry := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			retry++
			p, i = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
