package tlsconf

import "crypto/tls"

// wrapSession makes a session's ticket. A resumed TLS 1.2 session gets none: it keeps
// the one that it has, as with OpenSSL's servers. crypto/tls would send a new ticket
// each time, and OpenSSL's clients, stunnel's among them, forget a session whose ticket
// is renewed; they would resume every other time. An empty ticket is RFC 5077's way to
// send none (section 3.3).
func (c *Context) wrapSession(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
	if cs.DidResume && cs.Version < tls.VersionTLS13 {
		return nil, nil
	}
	return c.Config.EncryptTicket(cs, ss)
}
