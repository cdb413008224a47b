package psk

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// A handshake is what is needed while one lasts.
type handshake struct {
	secret     []byte // the pre-shared key, or the decoy's
	early      []byte // TLS 1.3: the schedule's first stage, once a binder was made
	suite      *suite
	transcript []byte // the messages so far; their hash is not known before the suite is
	randoms    []byte // TLS 1.2: the server's, then the client's
	strayCCS   bool   // change_cipher_spec may come and means nothing (RFC 8446, section 5)
}

// note puts a message into the transcript.
func (h *handshake) note(m []byte) { h.transcript = append(h.transcript, m...) }

// sum is the hash of the transcript.
func (h *handshake) sum() []byte {
	d := h.suite.hash()
	d.Write(h.transcript)
	return d.Sum(nil)
}

// send appends a message to the flight and to the transcript.
func (c *Conn) send(m []byte, err error) error {
	if err != nil {
		return internal(err)
	}
	c.note(m)
	return c.out.Append(record.Handshake, m)
}

// expect reads the one message that may come now, header included. Whoever lets another
// one pass has lost: most attacks on handshakes leave a message out or send one twice.
func (c *Conn) expect(typ byte) ([]byte, error) {
	for {
		m, err := c.nextMessage()
		if err != nil {
			return nil, err
		}
		if m != nil {
			if m[0] != typ {
				return nil, unexpected("handshake message of type %d when waiting for %d", m[0], typ)
			}
			return m, nil
		}
		if err := c.readHandshakeRecord(); err != nil {
			return nil, err
		}
	}
}

// peekMessage gives the type of the message that comes next, and leaves it there.
func (c *Conn) peekMessage() (byte, error) {
	for len(c.in.hand) == 0 {
		if err := c.readHandshakeRecord(); err != nil {
			return 0, err
		}
	}
	return c.in.hand[0], nil
}

// nextMessage takes a whole message from what has come, nil if there is none yet.
func (c *Conn) nextMessage() ([]byte, error) {
	b := c.in.hand
	if len(b) < messageHeader {
		return nil, nil
	}
	n := messageHeader + (int(b[1])<<16 | int(b[2])<<8 | int(b[3]))
	if n > maxMessage {
		return nil, &record.Error{Alert: record.DecodeError, Reason: "handshake message too long"}
	}
	if len(b) < n {
		return nil, nil
	}
	m := slices.Clone(b[:n])
	if c.in.hand = b[n:]; len(c.in.hand) == 0 {
		c.in.hand = nil
	}
	return m, nil
}

// readHandshakeRecord reads a record within the handshake.
func (c *Conn) readHandshakeRecord() error {
	t, content, err := c.in.Next()
	if err != nil {
		return err
	}
	if t == record.Handshake {
		c.in.hand = append(c.in.hand, content...)
		return nil
	}
	if len(c.in.hand) > 0 {
		return unexpected("record within a handshake message") // RFC 8446, section 5.1
	}
	if err := c.countIdle(); err != nil {
		return err
	}
	switch {
	case t == record.Alert:
		return c.takeAlert(content)
	case t == record.ChangeCipherSpec && c.strayCCS && len(content) == 1 && content[0] == 1:
		return nil
	}
	return unexpected("record type %d in the handshake", t)
}

// keyChange makes sure that the peer's messages end where its key does: bytes behind the
// last one would count as protected by the key to come (RFC 8446, section 5.1).
func (c *Conn) keyChange() error {
	if len(c.in.hand) > 0 {
		return unexpected("handshake data before a change of keys")
	}
	return nil
}

// expectFinished reads the peer's Finished and compares it.
func (c *Conn) expectFinished(want []byte) error {
	m, err := c.expect(typeFinished)
	if err != nil {
		return err
	}
	if !hmac.Equal(m[messageHeader:], want) {
		return &record.Error{Alert: record.DecryptError, Reason: "invalid Finished of the peer"}
	}
	c.note(m)
	return c.keyChange()
}

// sendCCS is for middleboxes in TLS 1.3 (RFC 8446, appendix D.4), and changes the key in
// TLS 1.2.
func (c *Conn) sendCCS() error { return c.out.Append(record.ChangeCipherSpec, []byte{1}) }

// random gives a hello's.
func random() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// newKey makes our half of an ephemeral exchange.
func newKey(group tls.CurveID) (*ecdh.PrivateKey, error) {
	key, err := curve(group).GenerateKey(rand.Reader)
	if err != nil {
		return nil, internal(err)
	}
	return key, nil
}

// agree gives what our key and the peer's public value come to. A value that is no point of
// the curve, or leads to zero, is refused (RFC 8446, section 7.4.2).
func agree(key *ecdh.PrivateKey, peer []byte) ([]byte, error) {
	point, err := key.Curve().NewPublicKey(peer)
	if err != nil {
		return nil, illegal("invalid public value of the peer")
	}
	shared, err := key.ECDH(point)
	if err != nil {
		return nil, illegal("invalid public value of the peer")
	}
	return shared, nil
}

// exchange makes a public value of ours for the peer's and gives what both come to.
func exchange(group tls.CurveID, peer []byte) (public, shared []byte, err error) {
	key, err := newKey(group)
	if err != nil {
		return nil, nil, err
	}
	if shared, err = agree(key, peer); err != nil {
		return nil, nil, err
	}
	return key.PublicKey().Bytes(), shared, nil
}

// mutual chooses an application protocol by the server's preference (RFC 7301, section 3.2).
func mutual(ours, theirs []string) (string, error) {
	if len(ours) == 0 || len(theirs) == 0 {
		return "", nil
	}
	for _, p := range ours {
		if slices.Contains(theirs, p) {
			return p, nil
		}
	}
	return "", &record.Error{Alert: record.NoApplicationProtocol, Reason: "client requested unsupported application protocols"}
}
