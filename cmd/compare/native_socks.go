package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// nativeSocks is the server mode of the socks guest in Go, for SOCKS5's CONNECT to an
// address without a login (RFC 1928): the same words on the wire.
type nativeSocks struct{}

// Negotiate takes a request inside TLS, and dials before it answers.
func (nativeSocks) Negotiate(ctx context.Context, h guest.Host, l guest.Limits) (*guest.Outcome, error) {
	c := newConversation(h, l, "socks")
	o, err := c.upgrade(ctx)
	if err != nil {
		return nil, err
	}
	c.client = o.Conns[abi.Accepted]
	target, err := c.request()
	if err != nil {
		return nil, err
	}
	h.Annotate("target", target)
	if err := h.SetTarget(target); err != nil {
		return nil, c.refusal("choosing the target", err)
	}
	if o.Conns[abi.Outgoing], err = h.Connect(ctx); err != nil {
		_ = c.say("\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00") // the client may be gone
		return nil, c.refusal("connecting to "+target, err)
	}
	if err := c.say("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"); err != nil {
		return nil, err
	}
	_ = c.client.SetDeadline(time.Time{}) // a closed connection tells the relay itself
	return o, nil
}

// request reads the methods, answers them, and reads the request's target.
func (c *conversation) request() (string, error) {
	var buf [255]byte
	read := func(n int) error {
		c.arm(c.client)
		_, err := io.ReadFull(c.client, buf[:n])
		return err
	}
	if err := read(2); err != nil {
		return "", c.refusal("reading the client's methods", err)
	}
	if buf[0] != 5 {
		return "", c.refusal(fmt.Sprintf("client speaks version %d", buf[0]), nil)
	}
	if err := read(int(buf[1])); err != nil {
		return "", c.refusal("reading the client's methods", err)
	}
	if err := c.say("\x05\x00"); err != nil {
		return "", err
	}
	if err := read(4); err != nil {
		return "", c.refusal("reading the client's request", err)
	}
	size := map[byte]int{1: net.IPv4len, 4: net.IPv6len}[buf[3]]
	if buf[0] != 5 || buf[1] != 1 || size == 0 {
		return "", c.refusal(fmt.Sprintf("client's request is % x", buf[:4]), nil)
	}
	if err := read(size + 2); err != nil {
		return "", c.refusal("reading the client's request", err)
	}
	addr, _ := netip.AddrFromSlice(buf[:size])
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(buf[size:])).String(), nil
}
