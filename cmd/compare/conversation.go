package main

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// A conversation is one negotiation under way.
type conversation struct {
	guest          string // whose part it plays
	host           guest.Host
	client, server net.Conn
	end            time.Time     // of the whole negotiation
	busy           time.Duration // of one wait
	name           string        // host name that the server greeted with
}

// newConversation begins one with the accepted side.
func newConversation(h guest.Host, l guest.Limits, guestName string) *conversation {
	if l.Time == 0 {
		l.Time = guest.DefaultTime
	}
	if l.Busy == 0 {
		l.Busy = guest.DefaultBusy
	}
	return &conversation{guest: guestName, host: h, client: h.Accepted(), end: time.Now().Add(l.Time), busy: l.Busy}
}

// arm sets the deadline of a wait that begins.
func (c *conversation) arm(conn net.Conn) {
	until := time.Now().Add(c.busy)
	if until.After(c.end) {
		until = c.end
	}
	_ = conn.SetDeadline(until) // a closed connection fails at the read or write
}

func (c *conversation) say(text string) error {
	c.arm(c.client)
	if _, err := io.WriteString(c.client, text); err != nil {
		return c.refusal("answering the client", err)
	}
	return nil
}

// upgrade starts TLS with the client and leaves the rest to the host, which connects.
func (c *conversation) upgrade(ctx context.Context) (*guest.Outcome, error) {
	c.arm(c.client)
	encrypted, err := c.host.StartTLS(ctx, abi.Accepted, nil, nil)
	if err != nil {
		return nil, c.refusal("starting TLS with the client", err)
	}
	_ = c.client.SetDeadline(time.Time{}) // a closed connection tells the relay itself
	return &guest.Outcome{Conns: [2]net.Conn{encrypted, nil}, TLS: [2]bool{abi.Accepted: true}}, nil
}

// refusal is an error as the guest's: the connection ends without a reset, since
// its peers have been told why.
func (c *conversation) refusal(reason string, err error) error {
	return &guest.Error{Guest: c.guest, Kind: guest.KindRefusal, Class: abi.FailPeer, Reason: reason, Err: err}
}
