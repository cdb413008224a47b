package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// A DialRule is one guestDial: where a guest may have connections made to.
type DialRule struct {
	Pattern  string       // of the name or address that is asked for, in lower case, "*" for any text; empty: Prefix counts
	Prefix   netip.Prefix // of the address that is dialled
	From, To uint16       // ports, both included
}

const dialForm = "a host pattern or CIDR, a colon, and a port, a range or *: *.example.org:443, 10.0.0.0/8:1024-65535, [2001:db8::]/32:*"

func parseGuestDial(t *target, value string) *Error {
	const reason = "Illegal guestDial"
	i := strings.LastIndexByte(value, ':')
	if i < 0 {
		return refuse(reason, dialForm)
	}
	rule, good := parsePorts(value[i+1:])
	if !good {
		return refuse(reason, dialForm)
	}
	host := strings.ToLower(value[:i])
	plain, ok := unbracket(host)
	if !ok {
		return refuse(reason, dialForm)
	}
	if prefix, err := netip.ParsePrefix(plain); err == nil {
		if prefix.Masked() != prefix {
			return refuse(reason, "the address has bits beyond its prefix; write "+prefix.Masked().String())
		}
		if mapped := prefix.Addr(); mapped.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(mapped.Unmap(), prefix.Bits()-96) // as the addresses are compared
		}
		rule.Prefix = prefix
	} else if ip, err := netip.ParseAddr(plain); err == nil {
		if ip = ip.Unmap(); ip.Zone() != "" {
			return refuse(reason, "an address here has no zone")
		}
		rule.Prefix = netip.PrefixFrom(ip, ip.BitLen())
	} else if host != "" && strings.Trim(host, letters+".-*") == "" {
		if host != "*" && strings.Trim(host, "0123456789.*") == "" {
			// 10.* would let 10.example.org in, and leave out no name that leads to 10.0.0.1.
			return refuse(reason, "a pattern is for names; for addresses write a CIDR, as in 10.0.0.0/8:443")
		}
		if rule.Pattern = strings.TrimSuffix(host, "."); rule.Pattern == "localhost" {
			return refuse(reason, "a pattern never allows this machine; write 127.0.0.1:443 or [::1]:443")
		}
	} else {
		return refuse(reason, dialForm)
	}
	t.service.Guest.Dial = append(t.service.Guest.Dial, rule)
	return nil
}

// unbracket takes the brackets off an IPv6 address, whose prefix may stand within or behind.
func unbracket(host string) (string, bool) {
	inner, ok := strings.CutPrefix(host, "[")
	if !ok {
		return host, !strings.Contains(host, "]")
	}
	address, prefix, ok := strings.Cut(inner, "]")
	return address + prefix, ok && strings.Contains(address, ":") && !strings.ContainsAny(prefix, "[]") &&
		(prefix == "" || prefix[0] == '/')
}

// parsePorts takes N, N-M or *.
func parsePorts(text string) (DialRule, bool) {
	if text == "*" {
		return DialRule{From: 1, To: 65535}, true
	}
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	low, err := strconv.ParseUint(from, 10, 16)
	high, err2 := strconv.ParseUint(to, 10, 16)
	return DialRule{From: uint16(low), To: uint16(high)}, err == nil && err2 == nil && low > 0 && low <= high
}
