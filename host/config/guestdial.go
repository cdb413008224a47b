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
	rule, ok := parsePorts(value[i+1:])
	if !ok {
		return refuse(reason, dialForm)
	}
	host := strings.ToLower(value[:i])
	plain := strings.NewReplacer("[", "", "]", "").Replace(host)
	if prefix, err := netip.ParsePrefix(plain); err == nil {
		if prefix.Masked() != prefix {
			return refuse(reason, "the address has bits beyond its prefix; write "+prefix.Masked().String())
		}
		rule.Prefix = prefix
	} else if ip, err := netip.ParseAddr(plain); err == nil {
		if ip = ip.Unmap(); ip.Zone() != "" {
			return refuse(reason, "an address here has no zone")
		}
		rule.Prefix = netip.PrefixFrom(ip, ip.BitLen())
	} else if host != "" && strings.Trim(host, letters+"._-*") == "" {
		rule.Pattern = host
	} else {
		return refuse(reason, dialForm)
	}
	t.service.Guest.Dial = append(t.service.Guest.Dial, rule)
	return nil
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
