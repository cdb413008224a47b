package dial

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// Anywhere is the rule of services whose clients choose the target (socks, connect)
// where guestDial says nothing: everything but what is local.
var Anywhere = []config.DialRule{{Pattern: "*", From: 1, To: 65535}}

// A Reach says which targets a guest may choose. The zero value allows none. It is
// safe for concurrent use.
type Reach struct {
	// Rules are those of guestDial; a target that one of them allows is allowed.
	Rules []config.DialRule

	// Own lists this machine's addresses; nil: those of its interfaces.
	Own func() []netip.Addr
}

// Allows tells whether a guest that asked for host may be connected to addr, which is
// host itself or what it resolved to. Port 0 asks for the host alone.
//
// A rule with a pattern, and one for all addresses, never allows an address of this machine
// or of its links, whatever name leads there: who owns a name decides where it points, and may change
// that between two lookups (DNS rebinding). Only a rule that names such addresses
// allows them.
func (r *Reach) Allows(host string, addr netip.Addr, port uint16) bool {
	addr = addr.Unmap().WithZone("")
	host = plainName(host)
	named := false
	for _, rule := range r.Rules {
		switch {
		case !covers(rule, port):
		case rule.Pattern != "":
			named = named || match(rule.Pattern, host)
		case !rule.Prefix.Contains(addr):
		case rule.Prefix.Bits() == 0:
			named = true // all there is names nothing
		default:
			return true
		}
	}
	return named && !r.local(addr)
}

// mayAllow tells whether Allows can be true for some address of a host.
func (r *Reach) mayAllow(host string, port uint16) bool {
	host = plainName(host)
	addr, err := netip.ParseAddr(host)
	return slices.ContainsFunc(r.Rules, func(rule config.DialRule) bool {
		switch {
		case !covers(rule, port):
			return false
		case rule.Pattern != "":
			return match(rule.Pattern, host)
		}
		return err != nil || rule.Prefix.Contains(addr.Unmap().WithZone(""))
	})
}

// covers tells whether a rule is about a port, 0 for any.
func covers(rule config.DialRule, port uint16) bool {
	return port == 0 || rule.From <= port && port <= rule.To
}

// plainName is a name as patterns have it: in lower case, without the root's dot.
func plainName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// match compares a text with a pattern in which each star stands for any text.
func match(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	text, ok := strings.CutPrefix(text, parts[0])
	if len(parts) == 1 || !ok {
		return ok && text == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[last])
}

// embedded are the prefixes whose addresses stand for an IPv4 address, and where it begins
// in them: a gateway, or the kernel, that translates would be one more way to an address
// that is refused.
var embedded = []struct {
	prefix netip.Prefix
	at     int // byte
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64 (RFC 6052, section 2.1)
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // NAT64 of one's own (RFC 8215), in its usual form
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4 (RFC 3056, section 2)
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible (RFC 4291, section 2.5.5.1)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated (RFC 2765, section 2.1)
}

// local tells whether an address is this machine or its links, or stands for one that is.
func (r *Reach) local(a netip.Addr) bool {
	if r.own(a) {
		return true
	}
	for _, e := range embedded {
		if e.prefix.Contains(a) {
			b := a.As16()
			return r.own(netip.AddrFrom4([4]byte(b[e.at : e.at+4])))
		}
	}
	return false
}

// IsOwn tells whether an address is one of this machine's.
func IsOwn(a netip.Addr) bool { return a.IsLoopback() || slices.Contains(interfaces.addresses(), a) }

// own tells whether an address is loopback, unspecified (which Linux takes for loopback),
// link-local, site-local, multicast, broadcast, or one of this machine's.
func (r *Reach) own(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || siteLocal.Contains(a) {
		return true
	}
	if a.Is4() && (a.As4()[0] == 0 || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})) {
		return true
	}
	own := r.Own
	if own == nil {
		own = interfaces.addresses
	}
	return slices.Contains(own(), a)
}

// siteLocal is deprecated (RFC 3879) but routed by no one, so that it is a link's where it is used.
var siteLocal = netip.MustParsePrefix("fec0::/10")

// interfaceAge is how long the list of this machine's addresses is kept: asking the
// kernel takes longer than all the rest of a check.
const interfaceAge = time.Second

// interfaces are this machine's addresses.
var interfaces interfaceList

type interfaceList struct {
	sync.Mutex
	read time.Time
	list []netip.Addr
}

func (l *interfaceList) addresses() []netip.Addr {
	l.Lock()
	defer l.Unlock()
	if time.Since(l.read) < interfaceAge {
		return l.list
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return l.list // what was known; connected sockets are looked at again
	}
	l.list, l.read = nil, time.Now()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				l.list = append(l.list, ip.Unmap())
			}
		}
	}
	return l.list
}
