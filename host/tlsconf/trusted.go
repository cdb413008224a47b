package tlsconf

import (
	"crypto/x509"
	"fmt"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

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
