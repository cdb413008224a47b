package psk

import (
	"crypto/tls"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// A KeyUpdate's content (RFC 8446, section 4.6.3).
const (
	updateNotRequested = 0
	updateRequested    = 1
)

// takePostHandshake takes a handshake record after the handshake.
func (c *Conn) takePostHandshake(content []byte) error {
	c.in.hand = append(c.in.hand, content...)
	for {
		m, err := c.nextMessage()
		if m == nil || err != nil {
			return err
		}
		if c.state.Version == tls.VersionTLS13 {
			err = c.post13(m)
		} else {
			err = c.post12(m)
		}
		if err != nil {
			return err
		}
	}
}

// post13 takes what RFC 8446, section 4.6, has after a handshake: tickets, which are not
// used, for a session with a pre-shared key is as cheap as its resumption; and key updates.
// A client certificate was not offered (section 4.2.6).
func (c *Conn) post13(m []byte) error {
	switch m[0] {
	case typeNewSessionTicket:
		if c.client {
			return nil
		}
	case typeKeyUpdate:
		return c.takeKeyUpdate(m[messageHeader:])
	}
	return unexpected("handshake message of type %d after the handshake", m[0])
}

func (c *Conn) takeKeyUpdate(body []byte) error {
	if len(body) != 1 {
		return decodeError("KeyUpdate")
	}
	if len(c.in.hand) > 0 {
		// What follows in the record came under the old key (RFC 8446, section 5.1).
		return unexpected("handshake data behind a KeyUpdate")
	}
	if body[0] != updateRequested && body[0] != updateNotRequested {
		return illegal("KeyUpdate asks for %d", body[0])
	}
	if err := c.in.Update(); err != nil {
		return internal(err)
	}
	if body[0] == updateRequested {
		c.updateAsked.Store(true)
	}
	return nil
}

// sendKeyUpdate goes on to our next key; the caller has the lock.
func (c *Conn) sendKeyUpdate() error {
	if err := c.out.Append(record.Handshake, []byte{typeKeyUpdate, 0, 0, 1, updateNotRequested}); err != nil {
		return err
	}
	return c.out.Update()
}

// Renegotiates tells a relay that Read never does a handshake.
func (c *Conn) Renegotiates() bool { return false }

// post12 refuses renegotiation: nothing is the same after one, and what was decided about
// the peer would have to be decided again. A client may ignore a server's wish for it
// (RFC 5246, section 7.4.1.1).
func (c *Conn) post12(m []byte) error {
	if c.client && m[0] == typeHelloRequest && len(m) == messageHeader {
		return nil
	}
	return unexpected("handshake message of type %d after the handshake: no renegotiation", m[0])
}
