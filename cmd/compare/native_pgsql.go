package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// Codes of PostgreSQL's requests before a start-up message.
const (
	sslCode = 80877103
	gssCode = 80877104
)

// nativePgsql is the server mode of the pgsql guest in Go, without direct TLS: the same
// words on the wire.
type nativePgsql struct{}

// Negotiate answers requests until the one for TLS, and has it.
func (nativePgsql) Negotiate(ctx context.Context, h guest.Host, l guest.Limits) (*guest.Outcome, error) {
	c := newConversation(h, l, "pgsql")
	for {
		c.arm(c.client)
		var request [8]byte
		if _, err := io.ReadFull(c.client, request[:]); err != nil {
			return nil, c.refusal("reading the client's request", err)
		}
		if size := binary.BigEndian.Uint32(request[:]); size != uint32(len(request)) {
			return nil, c.refusal(fmt.Sprintf("client's first message has %d bytes", size), nil)
		}
		switch code := binary.BigEndian.Uint32(request[4:]); code {
		case sslCode:
			if err := c.say("S"); err != nil {
				return nil, err
			}
			return c.upgrade(ctx)
		case gssCode:
			if err := c.say("N"); err != nil {
				return nil, err
			}
		default:
			return nil, c.refusal(fmt.Sprintf("client asked for %d, not for TLS", code), nil)
		}
	}
}
