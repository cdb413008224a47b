package tlsconf

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
	"github.com/stunnel-wasm/stunnel-wasm/host/suite"
)

// SuiteName gives a suite's name as OpenSSL prints it, and its key length in
// bits, for the log line of a handshake.
func SuiteName(id uint16) (name string, bits int) {
	if s := suite.ByID(id); s != nil {
		return s.Name, s.Bits()
	}
	if name = psk.SuiteName(id); name != "" {
		return name, psk.Bits(id)
	}
	name = tls.CipherSuiteName(id)
	if id == tls.TLS_AES_128_GCM_SHA256 {
		return name, 128
	}
	return name, 256
}

// VersionName gives a protocol version's name as OpenSSL prints it.
func VersionName(v uint16) string {
	switch v {
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return "unknown"
}

// offer takes suites and groups over, in which crypto/tls has its own order.
func (c *Context) offer(s *config.Service) {
	for _, o := range s.Offer.Suites {
		c.Suites = append(c.Suites, o.ID)
	}
	c.Config.CipherSuites = s.Offer.CipherSuites
	c.Config.CurvePreferences = s.Offer.Groups
	c.Warnings = append(c.Warnings, s.Offer.Warnings...)
}

// checkStrength holds the service's own certificates to its security level: a peer at
// that level would refuse them in each handshake. The words are OpenSSL's.
func (c *Context) checkStrength(s *config.Service) error {
	least := suite.MinBits(s.SecurityLevel)
	for _, pair := range c.Config.Certificates {
		for i, der := range pair.Certificate {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return s.Errorf("cert", "%s: parsing a certificate: %v", s.Cert, err)
			}
			problem := ""
			switch own := string(cert.RawSubject) == string(cert.RawIssuer); {
			case suite.KeyBits(cert.PublicKey) < least && i == 0:
				problem = "ee key too small"
			case suite.KeyBits(cert.PublicKey) < least:
				problem = "ca key too small"
			case !own && suite.HashBits(cert.SignatureAlgorithm) < least:
				// Nobody relies on a signature that a certificate makes of itself.
				problem = "ca md too weak"
			}
			if problem != "" {
				return s.Errorf("cert", "%s: %s (%s, signed by %v) at security level %d", problem, cert.Subject,
					keyName(cert), cert.SignatureAlgorithm, s.SecurityLevel).
					WithHint("use a stronger certificate, or, for old peers alone, lower securityLevel")
			}
		}
	}
	return nil
}

// keyName describes a certificate's key.
func keyName(cert *x509.Certificate) string {
	switch k := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA of %d bits", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA on " + k.Curve.Params().Name
	}
	return cert.PublicKeyAlgorithm.String()
}
