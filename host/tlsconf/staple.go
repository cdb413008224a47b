package tlsconf

import (
	"bytes"
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
	certs := c.Config.Certificates
	staplers := make([]*ocsp.Stapler, len(certs))
	for i := range certs {
		if issuer := issuerOf(&certs[i], s.CAfile); issuer != nil {
			staplers[i] = ocsp.NewStapler(certs[i].Leaf, issuer, s.OCSP)
		}
		if staplers[i] != nil {
			c.Staplers = append(c.Staplers, staplers[i])
		}
	}
	if len(c.Staplers) == 0 {
		return
	}
	c.Config.Certificates = nil // crypto/tls would take these first
	c.Config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		// As crypto/tls chooses: the first that the client supports, else the first.
		chosen := 0
		for i := 0; i < len(certs) && len(certs) > 1; i++ {
			if hello.SupportsCertificate(&certs[i]) == nil {
				chosen = i
				break
			}
		}
		if staplers[chosen] == nil {
			return &certs[chosen], nil
		}
		response := staplers[chosen].Staple()
		if response == nil {
			return &certs[chosen], nil
		}
		with := certs[chosen]
		with.OCSPStaple = response
		return &with, nil
	}
}

// issuerOf finds the issuer of a certificate of one's own: in what is sent along, else
// among the trusted ones. Without it there is nothing to ask a responder.
func issuerOf(cert *tls.Certificate, cafile string) *x509.Certificate {
	ders := cert.Certificate[1:]
	if cafile != "" {
		if b, err := readPEM(cafile); err == nil { // said where it is loaded
			ders = append(ders[:len(ders):len(ders)], b.certs...)
		}
	}
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err == nil && bytes.Equal(c.RawSubject, cert.Leaf.RawIssuer) && cert.Leaf.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}
