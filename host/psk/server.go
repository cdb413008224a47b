package psk

import (
	"crypto/tls"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// A serverState is a server's handshake.
type serverState struct {
	*Conn
	client *clientHello
}

// serverHandshake does a server's part (RFC 8446, section 2; RFC 5246, section 7.3).
func (c *Conn) serverHandshake() error {
	switch {
	case c.hello.err != nil:
		return c.hello.err
	case c.hello.rest > 0:
		// The next message of a client answers our ServerHello.
		return unexpected("handshake data behind the ClientHello")
	}
	h := &serverState{c, c.hello.hello}
	h.in.Agreed = true // a client's records say 3.3 from its second one on
	low, high := c.config.versions()
	if err := h.checkHello(high); err != nil {
		return err
	}
	h.state.ServerName = h.client.serverName
	if slices.Contains(h.client.versions, tls.VersionTLS13) && high == tls.VersionTLS13 {
		return h.serve13()
	}
	if low > tls.VersionTLS12 || !h.client.speaks12() {
		return &record.Error{Alert: record.ProtocolVersion, Reason: "client offered only unsupported versions"}
	}
	return h.serve12(high)
}

// checkHello looks at what is the same in both versions.
func (h *serverState) checkHello(high uint16) error {
	switch {
	case h.client.version>>8 != tls.VersionTLS12>>8:
		return &record.Error{Alert: record.ProtocolVersion, Reason: "client offered only unsupported versions"}
	case h.client.early:
		// Nobody was told that there is room for it (RFC 8446, section 4.2.10): early data
		// can be replayed, and a proxy cannot know what that would do.
		return &record.Error{Alert: record.UnsupportedExtension, Reason: "client sent unexpected early data"}
	case slices.Contains(h.client.suites, scsvFallback) && !slices.Contains(h.client.versions, high) && high > h.client.version:
		// RFC 7507, section 3: somebody made the client believe that we lack our version.
		return &record.Error{Alert: record.InappropriateFallback, Reason: "client using inappropriate protocol fallback"}
	}
	return nil
}

// commonGroup is the best group that the client has too, 0 for none.
func (h *serverState) commonGroup() tls.CurveID {
	for _, g := range h.config.groups() {
		if slices.Contains(h.client.groups, uint16(g)) {
			return g
		}
	}
	return 0
}
