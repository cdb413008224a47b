package guest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

const (
	// maxTarget is the longest "host:port" in bytes: a name has at most 253 (RFC 1035,
	// section 2.3.4), a Unix socket is no target that a guest may choose.
	maxTarget = 260

	// maxResolves is how often a guest may have names looked up, as maxConnects is for
	// connections: without a limit one client could have a resolver flooded.
	maxResolves = 10

	// maxALPN and maxALPNs bound the protocols of set_alpn.
	maxALPN  = 255 // bytes of a name (RFC 7301, section 3.1)
	maxALPNs = 4
)

// doSetTarget is set_target(ptr, len). The form is checked here; whether the config
// allows the target is found out by connect, which resolves the name once and dials the
// very addresses that it checked.
func (c call) doSetTarget() abi.Code {
	target := string(c.bytes(0))
	if c.host == nil || c.sides[abi.Outgoing].conn != nil {
		return abi.State
	}
	if !validTarget(target) {
		return abi.Inval
	}
	if err := c.host.SetTarget(target); err != nil {
		c.cause = err
		return DialCode(err)
	}
	return 0
}

// validTarget tells whether text is "host:port" or "[address]:port": what a log line, a
// policy and a dialler all read alike. A name of other characters could mean one thing
// to the pattern that allows it and another to the resolver.
func validTarget(text string) bool {
	if len(text) > maxTarget {
		return false
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || !validHost(host) {
		return false
	}
	if endsInNumber(host) {
		return false
	}
	// Brackets are for IPv6 addresses, which are all that a colon is for in a host.
	_, wrong := netip.ParseAddr(host)
	if v6 := strings.Contains(host, ":"); v6 != (text[0] == '[') || v6 && wrong != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && port[0] != '0'
}

// endsInNumber tells whether a host is an address to some and a name to others: its last
// part is a number, and it is no address as this program and policies write them. C
// libraries take 0xa000001, 167772161 and 10.1 for 10.0.0.1, which a policy that denies
// 10.0.0.0/8 would take for names (URL Standard, section 3.5, refuses the same).
func endsInNumber(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func validHost(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		}
		return !strings.ContainsRune("-_.:", r)
	})
}

// doResolve is resolve(ptr, len, buf, cap): the name's addresses that the config
// allows, a line each.
func (c call) doResolve() abi.Code {
	name := string(c.bytes(0))
	c.bytes(2)
	if c.host == nil {
		return abi.State
	}
	if len(name) > maxTarget || !validHost(name) || endsInNumber(name) {
		return abi.Inval
	}
	if c.resolves++; c.resolves > maxResolves {
		return abi.Limit
	}
	ctx, stop := context.WithDeadline(c.ctx, c.until())
	defer stop()
	held := c.pause()
	addrs, err := c.host.Resolve(ctx, name)
	c.resume(held)
	if err == nil && len(addrs) == 0 {
		err = &CodeError{Code: abi.Host, Err: errors.New("no address")}
	}
	if err != nil {
		c.checkTime()
		c.cause = err
		return DialCode(err)
	}
	var lines strings.Builder
	for _, a := range addrs {
		lines.WriteString(a.String())
		lines.WriteByte('\n')
	}
	return c.copyOut(lines.String(), 2)
}

// doSetALPN is set_alpn(ptr, len). An empty list offers nothing again.
func (c call) doSetALPN() abi.Code {
	text := string(c.bytes(0))
	if c.host == nil {
		return abi.State
	}
	var names []string
	if text != "" {
		names = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	}
	if len(names) > maxALPNs || slices.ContainsFunc(names, func(n string) bool { return n == "" || len(n) > maxALPN }) {
		return abi.Inval
	}
	c.alpn = names
	return 0
}

// doFact is fact(kptr, klen, buf, cap).
func (c call) doFact() abi.Code {
	key := c.bytes(0)
	c.bytes(2)
	if c.host == nil {
		return abi.State
	}
	if len(key) > maxFactName {
		return abi.Inval
	}
	v, ok := c.host.Fact(printable(key, maxFactName))
	if !ok {
		return abi.None
	}
	return c.copyOut(v, 2)
}
