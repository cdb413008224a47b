// The guest of policy = policy: it allows clients whose address
// guestOption allow names.
package main

import (
	"net/netip"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

// decide is called when a client was accepted, after the handshake and before a dial. 0
// allows.
//
//go:wasmexport decide
func decide() int32 { return stunnel.Status(run()) }

// configure is called once when the configuration is read: a refusal here refuses it.
//
//go:wasmexport configure
func configure() int32 {
	_, err := allowed()
	return stunnel.Status(err)
}

func main() {}

func run() error {
	// The address is known when the client is accepted, and does not change.
	if stage, _ := stunnel.Info(stunnel.InfoStage); stage == "handshake" || stage == "dial" {
		return nil
	}
	prefixes, err := allowed()
	if err != nil {
		return err
	}
	peer, err := stunnel.Info(stunnel.InfoPeerAddr)
	if err != nil {
		return stunnel.Doing("reading the client's address", err)
	}
	text := host(peer)
	client, ok := parse(text)
	if !ok {
		return deny(text, " has no address")
	}
	for _, p := range prefixes {
		if p.Contains(client) {
			return nil
		}
	}
	return deny(text, " is in no guestOption allow")
}

func deny(address, how string) error {
	return stunnel.Refuse(stunnel.ClassPolicy, "client "+stunnel.Quote(address)+how)
}

// host is an address without its port. The host writes IPv6 without brackets.
func host(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == ':' {
			return address[:i]
		}
	}
	return ""
}

// allowed is what the lines of guestOption allow name.
func allowed() ([]netip.Prefix, error) {
	text, ok := stunnel.Option("allow")
	if !ok {
		return nil, stunnel.Refuse(stunnel.ClassConfig, "guestOption allow: there is none, so that nobody would be allowed")
	}
	var prefixes []netip.Prefix
	for _, line := range stunnel.Lines(text) {
		p, ok := parsePrefix(line)
		if !ok {
			return nil, stunnel.Refuse(stunnel.ClassConfig, "guestOption allow: "+stunnel.Quote(line)+" is no address and no CIDR")
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// parse reads an address. One of IPv4 is kept as ::ffff:192.0.2.7 (RFC 4291 section
// 2.5.5.2), so that a client is the same on a socket of either family.
func parse(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16(a.As16()), true
}

// parsePrefix reads a prefix, or an address, which is one of its whole length.
func parsePrefix(text string) (netip.Prefix, bool) {
	if a, ok := parse(text); ok {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 128 - 32
	}
	return netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), bits), true
}
