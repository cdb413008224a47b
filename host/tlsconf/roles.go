package tlsconf

import (
	"crypto/tls"
	"fmt"
	"net"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

func (c *Context) server(s *config.Service) {
	c.chooseCertificate()
	switch {
	case s.RequireCert && len(s.Redirect) == 0:
		c.Config.ClientAuth = tls.RequireAnyClientCert
	case s.RequestCert:
		// With redirect the Verifier's verdict, also on a peer without one, leads elsewhere.
		c.Config.ClientAuth = tls.RequestClientCert
	}
}

func (c *Context) client(s *config.Service) {
	c.SNI = serverName(s)
	c.Config.ServerName = c.SNI
	if s.Renegotiation {
		// crypto/tls holds the server to the certificate that was judged.
		c.Config.Renegotiation = tls.RenegotiateFreelyAsClient
	}
	if net.ParseIP(c.SNI) != nil {
		// stunnel sends addresses too, against RFC 6066 section 3, and there are servers that
		// choose by them. crypto/tls leaves out what is an address, before it takes the dot of
		// a fully qualified name off.
		c.Config.ServerName += "."
	}
	c.offerCertificate()
	switch {
	case c.PSK != nil: // a server without the key does not get anywhere
	case s.VerifyPeer: // the certificates themselves are listed
	case s.VerifyChain && !s.NamesPeer():
		// Any certificate of these CAs will do, also that of somebody else's server.
		c.Warnings = append(c.Warnings,
			fmt.Sprintf("Service [%s] uses \"verifyChain\" without subject checks", s.Name),
			"Use \"checkHost\" or \"checkIP\" to restrict trusted certificates")
	case !s.VerifyChain:
		c.Warnings = append(c.Warnings, fmt.Sprintf("Service [%s] needs authentication to prevent MITM attacks", s.Name))
	}
}

// serverName is the SNI that a client service sends: the sni option, else
// protocolHost's host, else the first target's (stunnel's order).
func serverName(s *config.Service) string {
	if s.SNISet {
		return s.SNI
	}
	if h := s.ProtocolValues["protocolhost"]; h != "" {
		if host, _, err := net.SplitHostPort(h); err == nil {
			return host
		}
		return h
	}
	for _, a := range s.Connect {
		switch {
		case a.Unix != "":
		case a.Host == "":
			return "localhost"
		default:
			return a.Host
		}
	}
	return ""
}
