package psk

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// maxIdentities is how many identities of an offer are looked at. Clients give one; some
// give those of a few sessions beside it.
const maxIdentities = 16

// A Hello is a client's ClientHello, read before it is decided who answers it.
type Hello struct {
	ServerName string   // the client's SNI; empty: none
	Protocols  []string // the client's ALPN, in its order

	// Wire is all that was read: whoever else shall answer gets it put back.
	Wire []byte

	// err is what is wrong with the ClientHello. The side that answers tells the client.
	err   error
	hello *clientHello
	rest  int // bytes behind the message in its last record
}

// ReadHello reads a ClientHello and nothing behind its last record. Its error is the
// source's, or the client's alert or close_notify. What is wrong with a ClientHello is for
// Conn.Handshake to tell the client.
func ReadHello(source io.Reader) (*Hello, error) {
	var wire bytes.Buffer
	h := &Hello{}
	c := &Conn{}
	c.in.Reader = record.NewReader(io.TeeReader(source, &wire))
	raw, err := c.expect(typeClientHello)
	h.Wire = wire.Bytes()
	h.rest = len(c.in.hand)
	c.in.Release()
	if err != nil {
		var bad *record.Error
		var header tls.RecordHeaderError
		if errors.As(err, &bad) || errors.As(err, &header) {
			h.err = err
			return h, nil
		}
		return h, err
	}
	if h.hello, h.err = parseClientHello(raw); h.err == nil {
		h.ServerName, h.Protocols = h.hello.serverName, h.hello.protocols
	}
	return h, nil
}

// Valid says whether it could be read as a ClientHello.
func (h *Hello) Valid() bool { return h.err == nil }

// Usable says whether a server that has a certificate too should answer with a pre-shared
// key. In TLS 1.3 that is so where the client gives an identity that exists; where it does
// not, the client may well have a session of the certificate's to resume, or none at all. In
// TLS 1.2, where the identity comes later, the client's order of suites decides, as it does
// in OpenSSL.
func (h *Hello) Usable(c *Config) bool {
	if h.err != nil || c.Check(false) != nil {
		return false
	}
	low, high := c.versions()
	if slices.Contains(h.hello.versions, tls.VersionTLS13) {
		if high < tls.VersionTLS13 || h.hello.offer == nil || !bytes.Contains(h.hello.modes, []byte{modeDHE}) ||
			common(c.suites13(), h.hello.suites) == nil {
			return false
		}
		_, known, _ := h.hello.offer.choose(c.Secrets)
		return known
	}
	if low > tls.VersionTLS12 || !h.hello.speaks12() || !h.hello.extended {
		return false
	}
	ours, others := c.suites12(), certificateSuites()
	for _, id := range h.hello.suites {
		switch {
		case findSuite(ours, id) != nil:
			return true
		case slices.Contains(others, id):
			return false
		}
	}
	return false
}

// certificateSuites are those that crypto/tls could answer with. They are listed once:
// crypto/tls makes its lists anew each time, and a hello has room for thousands of suites
// to be looked up in them.
var certificateSuites = sync.OnceValue(func() (ids []uint16) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		ids = append(ids, s.ID)
	}
	return ids
})

// speaks12 says whether the client can do TLS 1.2.
func (h *clientHello) speaks12() bool {
	if h.versions != nil {
		return slices.Contains(h.versions, tls.VersionTLS12)
	}
	return h.version >= tls.VersionTLS12
}

// choose gives the place of the first identity that exists, 0 if none does, whether one
// does, and its key or the decoy's. All identities are looked up in any case.
func (o *offer) choose(s *Secrets) (index int, known bool, secret []byte) {
	for i, id := range o.identities[:min(len(o.identities), maxIdentities)] {
		key, ok := s.find(string(id))
		if i == 0 || ok && !known {
			index, secret = i, key
		}
		known = known || ok
	}
	return index, known, secret
}

// common is the best suite that the client has too.
func common(ours []*suite, theirs []uint16) *suite {
	for _, s := range ours {
		if slices.Contains(theirs, s.id) {
			return s
		}
	}
	return nil
}
