package tlsconf

import (
	"crypto/x509"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// completeChains sends with our own certificates those of their issuers that
// config = ChainCAFile: has and the files of cert have not. The root stays at home: who
// does not have it does not trust it.
func (c *Context) completeChains(s *config.Service) error {
	issuers, err := commandFile(s, "ChainCAFile", s.Commands.ChainCAFile)
	if err != nil || issuers == nil {
		return err
	}
	for i := range c.Config.Certificates {
		pair := &c.Config.Certificates[i]
		last, err := x509.ParseCertificate(pair.Certificate[len(pair.Certificate)-1])
		if err != nil {
			return s.Errorf("cert", "parsing a certificate: %v", err)
		}
		for range issuers {
			next := issuerAmong(last, issuers)
			if next == nil || string(next.RawSubject) == string(next.RawIssuer) {
				break
			}
			pair.Certificate = append(pair.Certificate[:len(pair.Certificate):len(pair.Certificate)], next.Raw)
			last = next
		}
	}
	return nil
}

func issuerAmong(cert *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	for _, c := range among {
		if string(c.RawSubject) == string(cert.RawIssuer) && cert.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}

// nameRequested has a server tell clients the names in config = RequestCAFile: instead of
// those in CAfile. Which certificates are accepted is another matter.
func (c *Context) nameRequested(s *config.Service) error {
	certs, err := commandFile(s, "RequestCAFile", s.Commands.RequestCAFile)
	if err != nil || certs == nil {
		return err
	}
	c.Config.ClientCAs = nil
	c.nameAuthorities(s, certs)
	return nil
}

// commandFile reads the certificates of a file that config = names; none without a file.
func commandFile(s *config.Service, command, path string) ([]*x509.Certificate, error) {
	if path == "" {
		return nil, nil
	}
	blocks, err := readPEM(path)
	if err != nil {
		return nil, s.Errorf("config", "%s: %v", command, err)
	}
	var certs []*x509.Certificate
	for _, der := range blocks.certs {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, s.Errorf("config", "%s: %s: parsing a certificate: %v", command, path, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, s.Errorf("config", "%s: no certificate in %s", command, path)
	}
	return certs, nil
}
