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
// A rule with a pattern never allows an address of this machine or of its links,
// whatever name leads there: who owns a name decides where it points, and may change
// that between two lookups (DNS rebinding). Only a rule that names such addresses
// allows them.
func (r *Reach) Allows(host string, addr netip.Addr, port uint16) bool {
	addr = addr.Unmap().WithZone("")
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	named := false
	for _, rule := range r.Rules {
		switch {
		case port != 0 && (port < rule.From || port > rule.To):
		case rule.Pattern != "":
			named = named || match(rule.Pattern, host)
		case rule.Prefix.Contains(addr):
			return true
		}
	}
	return named && !r.local(addr)
}

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

// nat64 embeds an IPv4 address in its last 32 bits (RFC 6052, section 2.1): a gateway
// that translates would be one more way to a forbidden address.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// local tells whether an address is this machine or its links: loopback, unspecified
// (which Linux takes for loopback), link-local, multicast, or one of its own.
func (r *Reach) local(a netip.Addr) bool {
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || a.IsInterfaceLocalMulticast() {
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
