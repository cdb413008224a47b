package psk

import (
	"crypto/hmac"
	"hash"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// Lengths of RFC 5246, sections 8.1 and 7.4.9, in bytes.
const (
	masterLen = 48
	verifyLen = 12
)

// prf is TLS 1.2's pseudorandom function (RFC 5246, section 5).
func prf(h func() hash.Hash, secret []byte, label string, seed []byte, n int) []byte {
	labelled := append([]byte(label), seed...)
	m := hmac.New(h, secret)
	m.Write(labelled)
	a := m.Sum(nil)
	var out []byte
	for len(out) < n {
		m.Reset()
		m.Write(a)
		m.Write(labelled)
		out = m.Sum(out)
		m.Reset()
		m.Write(a)
		a = m.Sum(nil)
	}
	return out[:n]
}

// premaster joins the other secret and the key (RFC 4279, section 2): what an ephemeral
// exchange came to (RFC 5489, section 2), or as many zeros as the key is long.
func premaster(other, psk []byte) ([]byte, error) {
	if other == nil {
		other = make([]byte, len(psk))
	}
	var b cryptobyte.Builder
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(other) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(psk) })
	return b.Bytes()
}

// keys12 are those of a TLS 1.2 session.
type keys12 struct {
	suite          *suite
	master         []byte
	client, server *record.Key
}

// keys12 makes them out of what the exchange came to, nil without one. The transcript
// ends in the ClientKeyExchange, as the extended master secret asks (RFC 7627, section 4).
func (c *Conn) keys12(shared []byte) (*keys12, error) {
	pms, err := premaster(shared, c.secret)
	if err != nil {
		return nil, internal(err)
	}
	s := c.suite
	k := &keys12{suite: s, master: prf(s.hash, pms, "extended master secret", c.sum(), masterLen)}
	key, iv := s.aead.KeyLen(), s.aead.FixedIVLen()
	block := prf(s.hash, k.master, "key expansion", c.randoms, 2*key+2*iv) // RFC 5246, section 6.3
	cut := func(n int) []byte {
		part := block[:n]
		block = block[n:]
		return part
	}
	clientKey, serverKey, clientIV, serverIV := cut(key), cut(key), cut(iv), cut(iv)
	if k.client, err = record.NewKey12(s.aead, clientKey, clientIV); err != nil {
		return nil, internal(err)
	}
	if k.server, err = record.NewKey12(s.aead, serverKey, serverIV); err != nil {
		return nil, internal(err)
	}
	return k, nil
}

// verify is a Finished's content (RFC 5246, section 7.4.9).
func (k *keys12) verify(label string, transcript []byte) []byte {
	return prf(k.suite.hash, k.master, label, transcript, verifyLen)
}

// sendFinished12 changes our key and ends the flight.
func (c *Conn) sendFinished12(k *record.Key, mac []byte) error {
	if err := c.sendCCS(); err != nil {
		return err
	}
	c.out.Protect(k)
	return c.sendFinished(mac)
}

// expectFinished12 reads the peer's change of keys and its Finished. The one may come only
// here, where the keys are made: taken earlier it would make them of nothing
// (CVE-2014-0224).
func (c *Conn) expectFinished12(k *record.Key, mac func() []byte) error {
	if err := c.keyChange(); err != nil {
		return err
	}
	for {
		t, content, err := c.in.Next()
		if err != nil {
			return err
		}
		if t == record.Alert {
			if err := c.countIdle(); err != nil {
				return err
			}
			if err := c.takeAlert(content); err != nil {
				return err
			}
			continue
		}
		if t != record.ChangeCipherSpec || len(content) != 1 || content[0] != 1 {
			return unexpected("record type %d when waiting for change_cipher_spec", t)
		}
		break
	}
	c.in.Protect(k)
	return c.expectFinished(mac())
}
