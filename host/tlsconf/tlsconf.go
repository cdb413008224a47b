// Package tlsconf makes a crypto/tls configuration out of a service's options:
// certificate and key, versions, cipher suites, session tickets, and what is
// asked of the peer's certificate.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// sessions is how many servers' sessions a client service keeps: one for each
// name or address that it connects to.
const sessions = 64

// A Context is what a service needs to speak TLS. It is never changed once built
// and safe for concurrent use.
type Context struct {
	Config   *tls.Config
	Verifier *verify.Verifier
	Warnings []string // each to be logged once, when the service is set up
	SNI      string   // what a client service sends; empty: nothing

	alpn struct {
		sync.Mutex
		kept map[string]*tls.Config // with the application protocols of a guest, by their joined names
	}
}

// keptALPN is how many lists of application protocols have a configuration that is kept,
// and with it sessions to resume. Guests have one or two. A hostile one has another list for
// each connection, and would have the daemon keep them all.
const keptALPN = 16

// ForALPN gives the configuration with which a handshake offers, or a server accepts,
// application protocols; nil: none.
func (c *Context) ForALPN(names []string) *tls.Config {
	if len(names) == 0 {
		return c.Config
	}
	key := strings.Join(names, "\n")
	c.alpn.Lock()
	defer c.alpn.Unlock()
	if made, ok := c.alpn.kept[key]; ok {
		return made
	}
	made := c.Config.Clone()
	made.NextProtos = names
	if len(c.alpn.kept) < keptALPN {
		if c.alpn.kept == nil {
			c.alpn.kept = map[string]*tls.Config{}
		}
		c.alpn.kept[key] = made
	}
	return made
}

// Build makes the Context of a service. Errors are *config.Error and name the
// option's line.
func Build(s *config.Service) (*Context, error) {
	c := &Context{Verifier: &verify.Verifier{
		Server:  s.Client,
		Require: s.RequireCert,
		Chain:   s.VerifyChain,
		Hosts:   s.CheckHost,
	}}
	c.Config = &tls.Config{
		MinVersion: uint16(s.MinVersion),
		MaxVersion: uint16(s.MaxVersion),
		// A relay's writes are large and its peers are proxied programs: records
		// that start small would only cost system calls.
		DynamicRecordSizingDisabled: true,
		// The Verifier does it, also for resumed sessions.
		InsecureSkipVerify:     true,
		VerifyConnection:       c.Verifier.Check,
		SessionTicketsDisabled: s.NoTicket,
	}
	if s.Cert != "" {
		if err := c.loadCertificate(s); err != nil {
			return nil, err
		}
	}
	if s.CAfile != "" {
		if err := c.loadTrusted(s); err != nil {
			return nil, err
		}
	}
	if err := c.chooseCiphers(s); err != nil {
		return nil, err
	}
	if s.Client {
		c.client(s)
	} else {
		c.server(s)
	}
	return c, nil
}

func (c *Context) server(s *config.Service) {
	switch {
	case s.RequireCert:
		c.Config.ClientAuth = tls.RequireAnyClientCert
	case s.RequestCert:
		c.Config.ClientAuth = tls.RequestClientCert
	}
	c.Config.WrapSession = c.wrapSession
	// As said: also where a copy of Config is in use, whose own keys are others.
	c.Config.UnwrapSession = c.Config.DecryptTicket
}

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

func (c *Context) client(s *config.Service) {
	c.SNI = serverName(s)
	c.Config.ServerName = c.SNI
	if !s.NoTicket {
		c.Config.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
	}
	if len(c.Config.Certificates) > 0 {
		// Offered whatever CAs the server names, as OpenSSL does: crypto/tls would
		// hold back a certificate of another CA.
		cert := &c.Config.Certificates[0]
		c.Config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return cert, nil
		}
	}
	switch {
	case s.VerifyChain && len(s.CheckHost) == 0:
		// Any certificate of these CAs will do, also that of somebody else's server.
		c.Warnings = append(c.Warnings,
			fmt.Sprintf("Service [%s] uses \"verifyChain\" without subject checks", s.Name),
			"Use \"checkHost\" or \"checkIP\" to restrict trusted certificates")
	case !s.VerifyChain:
		c.Warnings = append(c.Warnings, fmt.Sprintf("Service [%s] needs authentication to prevent MITM attacks", s.Name))
	}
}

// serverName is the SNI that a client service sends: the sni option, else
// protocolHost's host, else the first target's (stunnel's order). crypto/tls
// leaves IP addresses out of the extension, as RFC 6066 section 3 asks.
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

func (c *Context) loadTrusted(s *config.Service) error {
	blocks, err := readPEM(s.CAfile)
	if err != nil {
		return s.Errorf("CAfile", "%v", err)
	}
	var certs []*x509.Certificate
	for _, b := range blocks.certs {
		cert, err := x509.ParseCertificate(b)
		if err != nil {
			// OpenSSL skips what it cannot read; the chain that needs it will fail.
			c.Warnings = append(c.Warnings, fmt.Sprintf("CAfile %s: a certificate is skipped: %v", s.CAfile, err))
			continue
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return s.Errorf("CAfile", "no certificate in %s", s.CAfile)
	}
	c.Verifier.SetTrusted(certs)
	// Servers tell clients which CAs they know.
	c.Config.ClientCAs = x509.NewCertPool()
	anchors := 0
	for _, cert := range certs {
		c.Config.ClientCAs.AddCert(cert)
		if verify.SelfSigned(cert) {
			anchors++
		}
	}
	if anchors == 0 && s.VerifyChain {
		c.Warnings = append(c.Warnings, fmt.Sprintf("CAfile %s holds no self-signed certificate: no chain can end there", s.CAfile))
	}
	return nil
}

// chooseCiphers takes a plain list of TLS 1.2 suites. Go decides the order.
func (c *Context) chooseCiphers(s *config.Service) error {
	if s.Ciphers == nil {
		return nil
	}
	var dropped []string
	for _, name := range s.Ciphers {
		if id, ok := cipherSuite(name); ok {
			c.Config.CipherSuites = append(c.Config.CipherSuites, id)
		} else {
			dropped = append(dropped, name)
		}
	}
	if len(c.Config.CipherSuites) == 0 {
		return s.Errorf("ciphers", "no cipher match: none of %s exists here; there are %s",
			strings.Join(s.Ciphers, ", "), strings.Join(CipherNames(), ", "))
	}
	if len(dropped) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("Service [%s] ciphers that do not exist here are left out: %s", s.Name, strings.Join(dropped, ", ")))
	}
	return nil
}
