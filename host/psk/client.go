package psk

import (
	"bytes"
	"crypto/ecdh"
	"crypto/tls"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// A clientState is a client's handshake.
type clientState struct {
	*Conn
	greeting
	private *ecdh.PrivateKey // of the key share; nil: TLS 1.3 is not offered
	retried *serverHello     // the HelloRetryRequest, if there was one
}

// clientHandshake does a client's part (RFC 8446, section 2; RFC 5246, section 7.3).
func (c *Conn) clientHandshake() error {
	c.identity = c.config.Identity
	c.secret, c.known = c.config.Secrets.find(c.identity)
	c.state.ServerName = c.config.ServerName
	h := &clientState{Conn: c, greeting: greeting{config: c.config, random: random()}}
	if _, high := c.config.versions(); high == tls.VersionTLS13 {
		h.session = random()
		if err := h.makeShare(c.config.groups()[0]); err != nil {
			return err
		}
		c.strayCCS = true
	}
	if err := h.greet(); err != nil {
		return err
	}
	hello, raw, err := h.serverHello()
	if err != nil {
		return err
	}
	if hello.selected != 0 && hello.retry() {
		if err := h.retry(hello, raw); err != nil {
			return err
		}
		if hello, raw, err = h.serverHello(); err != nil {
			return err
		}
		if hello.retry() {
			return unexpected("second HelloRetryRequest") // RFC 8446, section 4.1.4
		}
	}
	if hello.selected != 0 {
		return h.finish13(hello, raw)
	}
	return h.finish12(hello, raw)
}

func (h *clientState) makeShare(group tls.CurveID) error {
	key, err := newKey(group)
	if err != nil {
		return err
	}
	h.private = key
	h.share = &share{group, key.PublicKey().Bytes()}
	return nil
}

// greet sends a ClientHello, with its binder over all before it (RFC 8446, section
// 4.2.11.2).
func (h *clientState) greet() error {
	m, err := h.marshal()
	if err == nil && h.share != nil {
		var mac []byte
		mac, err = h.binder(m[:len(m)-bindersTotal])
		copy(m[len(m)-binderLen:], mac)
	}
	if err := h.send(m, err); err != nil {
		return err
	}
	return h.out.Flush()
}

// serverHello reads one, and checks what is the same in all of them.
func (h *clientState) serverHello() (*serverHello, []byte, error) {
	raw, err := h.expect(typeServerHello)
	if err != nil {
		return nil, nil, err
	}
	hello, err := parseServerHello(raw)
	if err != nil {
		return nil, nil, err
	}
	if hello.version != tls.VersionTLS12 {
		return nil, nil, &record.Error{Alert: record.ProtocolVersion, Reason: "server selected unsupported protocol version"}
	}
	if hello.compression != 0 {
		return nil, nil, illegal("server selected a compression")
	}
	switch {
	case hello.selected == 0:
		return hello, raw, h.check12(hello)
	case hello.selected != tls.VersionTLS13 || h.share == nil:
		return nil, nil, illegal("server selected unsupported protocol version %x", hello.selected)
	}
	return hello, raw, h.check13(hello)
}

// check13 is RFC 8446, section 4.1.3 and 4.1.4.
func (h *clientState) check13(hello *serverHello) error {
	allowed := []uint16{extVersions, extKeyShare, extPreSharedKey}
	if hello.retry() {
		allowed = []uint16{extVersions, extKeyShare, extCookie}
	}
	if err := h.onlyExtensions(hello.extensions, allowed...); err != nil {
		return err
	}
	if !bytes.Equal(hello.session, h.session) {
		return illegal("server did not echo the session ID")
	}
	s := findSuite(h.Conn.config.suites13(), hello.suite)
	switch {
	case s == nil:
		return illegal("server selected a cipher suite that was not offered")
	case h.retried != nil && h.retried.suite != hello.suite:
		return illegal("server changed the cipher suite after its HelloRetryRequest")
	}
	h.settle(tls.VersionTLS13, s)
	return nil
}

// check12 sees to it that TLS 1.2 is what both sides want.
func (h *clientState) check12(hello *serverHello) error {
	low, high := h.Conn.config.versions()
	switch {
	case h.retried != nil:
		return illegal("server changed the version after its HelloRetryRequest") // RFC 8446, section 4.1.4
	case hello.retry():
		return illegal("HelloRetryRequest without a version") // RFC 8446, section 4.1.4
	case len(h.session) > 0 && bytes.Equal(hello.session, h.session):
		// A server that resumes a session that never was: the ID is for middleboxes alone.
		return illegal("server resumes a session that was not offered")
	case low > tls.VersionTLS12:
		return &record.Error{Alert: record.ProtocolVersion, Reason: "server selected unsupported protocol version"}
	case high > tls.VersionTLS12 && (bytes.HasSuffix(hello.random, downgrade) || bytes.HasSuffix(hello.random, downgrade11)):
		// RFC 8446, section 4.1.3: somebody on the way took TLS 1.3 out of our hello.
		return illegal("downgrade attempt detected, possibly due to a MitM attack or a broken middlebox")
	}
	err := h.onlyExtensions(hello.extensions, extMasterSecret, extRenegotiationInfo, extPointFormats, extServerName, extALPN)
	if err != nil {
		return err
	}
	s := findSuite(h.Conn.config.suites12(), hello.suite)
	switch {
	case s == nil:
		return illegal("server selected a cipher suite that was not offered")
	case !uncompressed(hello.formats):
		return illegal("server does not support uncompressed points") // RFC 8422, section 5.2
	case !hello.extended:
		return errExtended
	case !hello.secure:
		// RFC 5746, section 4.1: our handshake could be spliced in behind somebody else's.
		return &record.Error{Alert: record.HandshakeFailure, Reason: "server lacks secure renegotiation"}
	}
	h.settle(tls.VersionTLS12, s)
	return h.takeProtocol(hello.protocol)
}

// errExtended is for a peer without RFC 7627. Without it a session's keys would not depend
// on all of its handshake; every peer with these suites has it.
var errExtended = &record.Error{Alert: record.HandshakeFailure, Reason: "peer lacks extended_master_secret"}

// onlyExtensions refuses an answer to what was not asked, and one that belongs elsewhere.
func (h *clientState) onlyExtensions(list []extension, allowed ...uint16) error {
	for _, e := range list {
		if e.id == extCookie && slices.Contains(allowed, e.id) {
			continue // a HelloRetryRequest's, which comes unasked
		}
		if !slices.Contains(allowed, e.id) || !h.offers(e.id) {
			return h.stray(e.id)
		}
	}
	return nil
}

// stray is what is wrong with an extension that may not be where it is (RFC 8446, section
// 4.2).
func (h *clientState) stray(id uint16) error {
	if h.offers(id) {
		return illegal("server sent extension %d in a message that does not have it", id)
	}
	return &record.Error{Alert: record.UnsupportedExtension, Reason: "server sent an extension that was not asked for"}
}

// offers says whether an extension is in our hello.
func (h *clientState) offers(id uint16) bool {
	low, high := h.Conn.config.versions()
	switch id {
	case extGroups:
		return true
	case extServerName:
		return h.Conn.config.ServerName != ""
	case extALPN:
		return len(h.Conn.config.Protocols) > 0
	case extPointFormats, extMasterSecret, extRenegotiationInfo:
		return low == tls.VersionTLS12
	case extVersions, extModes, extKeyShare, extPreSharedKey:
		return high == tls.VersionTLS13
	case extCookie:
		return h.cookie != nil
	}
	return false
}

// takeProtocol notes the server's choice, which must be one of ours (RFC 7301, section 3.1).
func (h *clientState) takeProtocol(name string) error {
	if name != "" && !slices.Contains(h.Conn.config.Protocols, name) {
		return illegal("server selected an application protocol that was not offered")
	}
	h.state.NegotiatedProtocol = name
	return nil
}
