package psk

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// A schedule derives TLS 1.3's secrets (RFC 8446, section 7.1), all with SHA-256. The first
// error stays and is asked for once at the end.
type schedule struct{ err error }

func (s *schedule) extract(salt, input []byte) []byte {
	out, err := hkdf.Extract(sha256.New, input, salt)
	if err != nil {
		s.err = err
	}
	return out
}

func (s *schedule) expand(secret []byte, label string, context []byte) []byte {
	out, err := record.ExpandLabel(sha256.New, secret, label, context, sha256.Size)
	if err != nil {
		s.err = err
	}
	return out
}

// next goes from one stage's secret to the next's.
func (s *schedule) next(secret, input []byte) []byte {
	empty := sha256.Sum256(nil)
	return s.extract(s.expand(secret, "derived", empty[:]), input)
}

// mac is a Finished's content, and a binder (RFC 8446, sections 4.4.4 and 4.2.11.2).
func (s *schedule) mac(base, transcript []byte) []byte {
	m := hmac.New(sha256.New, s.expand(base, "finished", nil))
	m.Write(transcript)
	return m.Sum(nil)
}

// early is the first stage's secret.
func (s *schedule) early(psk []byte) []byte { return s.extract(make([]byte, sha256.Size), psk) }

// binder shows that whoever made a ClientHello has the key. "ext" is for keys from outside
// of TLS: it keeps them and tickets from passing for each other.
func (s *schedule) binder(early, transcript []byte) []byte {
	empty := sha256.Sum256(nil)
	hash := sha256.Sum256(transcript)
	return s.mac(s.expand(early, "ext binder", empty[:]), hash[:])
}

// binder is the schedule's, of the transcript so far and a ClientHello up to its binders.
func (c *Conn) binder(truncated []byte) ([]byte, error) {
	var s schedule
	c.early = s.early(c.secret)
	mac := s.binder(c.early, append(c.transcript[:len(c.transcript):len(c.transcript)], truncated...))
	return mac, s.err
}

// retryTranscript puts the first ClientHello's hash in its place (RFC 8446, section 4.4.1).
func (c *Conn) retryTranscript() {
	sum := sha256.Sum256(c.transcript)
	c.transcript = append([]byte{typeMessageHash, 0, 0, sha256.Size}, sum[:]...)
}

// secrets13 are those of a handshake after its ServerHello.
type secrets13 struct {
	schedule
	client, server []byte // of the handshake
	master         []byte
}

// deriveSecrets takes what the exchange came to. The transcript ends in the ServerHello.
func (c *Conn) deriveSecrets(shared []byte) *secrets13 {
	s := &secrets13{}
	handshake := s.next(c.early, shared)
	hash := c.sum()
	s.client = s.expand(handshake, "c hs traffic", hash)
	s.server = s.expand(handshake, "s hs traffic", hash)
	s.master = s.next(handshake, make([]byte, sha256.Size))
	return s
}

// application gives both secrets of the application data, after the server's Finished.
func (s *secrets13) application(hash []byte) (client, server []byte) {
	return s.expand(s.master, "c ap traffic", hash), s.expand(s.master, "s ap traffic", hash)
}

// key makes the key of a traffic secret.
func (c *Conn) key(s *schedule, secret []byte) (*record.Key, error) {
	err := s.err
	if err == nil {
		var k *record.Key
		if k, err = record.NewKey13(c.suite.aead, c.suite.hash, secret); err == nil {
			return k, nil
		}
	}
	return nil, internal(err)
}

// protectIn and protectOut change the key of a direction.
func (c *Conn) protectIn(s *schedule, secret []byte) error {
	k, err := c.key(s, secret)
	if err != nil {
		return err
	}
	c.in.Protect(k)
	return nil
}

func (c *Conn) protectOut(s *schedule, secret []byte) error {
	k, err := c.key(s, secret)
	if err != nil {
		return err
	}
	c.out.Protect(k)
	return nil
}

// settle notes what was agreed on.
func (c *Conn) settle(version uint16, s *suite) {
	c.suite = s
	c.state.Version, c.state.CipherSuite = version, s.id
	c.strayCCS = version == tls.VersionTLS13
	c.in.Compatible = c.strayCCS
	c.in.Agreed = true
}
