package tlsconf

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/ocsp"
)

// checkRevocation has the Verifier ask whether certificates were revoked. A client looks
// at what servers staple whatever else it asks.
func (c *Context) checkRevocation(s *config.Service) {
	if s.VerifyChain && (s.Client || s.OCSP.URL != "" || s.OCSP.AIA) {
		c.Verifier.Revocation = ocsp.New(s.OCSP, s.TimeoutBusy)
	}
}

// staple has a server staple responses about its own certificates, where there is a
// responder to ask. Config stays as it is for good; what it gives to a handshake changes.
func (c *Context) staple(s *config.Service) {
	certs, choose := c.Config.Certificates, c.Config.GetCertificate
	staplers := map[*tls.Certificate]*ocsp.Stapler{}
	for i := range certs {
		issuer := issuerOf(&certs[i], c.listed)
		if issuer == nil {
			continue
		}
		if stapler := ocsp.NewStapler(certs[i].Leaf, issuer, s.OCSP); stapler != nil {
			staplers[&certs[i]] = stapler
			c.Staplers = append(c.Staplers, stapler)
		}
	}
	if len(c.Staplers) == 0 {
		return
	}
	if choose == nil {
		choose = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certs[0], nil }
	}
	c.Config.Certificates = nil // crypto/tls would take these where the client sends no name
	c.Config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := choose(hello)
		stapler := staplers[cert]
		if err != nil || stapler == nil {
			return cert, err
		}
		response := stapler.Staple()
		if response == nil {
			return cert, nil
		}
		with := *cert
		with.OCSPStaple = response
		return &with, nil
	}
}

// issuerOf finds the issuer of a certificate of one's own: in what is sent along, else
// among those of CAfile. Without it there is nothing to ask a responder.
func issuerOf(cert *tls.Certificate, listed []*x509.Certificate) *x509.Certificate {
	var sent []*x509.Certificate
	for _, der := range cert.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			sent = append(sent, c)
		}
	}
	return issuerAmong(cert.Leaf, append(sent, listed...))
}
