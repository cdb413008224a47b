package tlsconf

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// minFIPSModulus is the shortest RSA key of FIPS mode, in bits (SP 800-131A).
const minFIPSModulus = 2048

// checkFIPS refuses our own certificates with keys that are not approved: crypto/tls would
// not send them, and each handshake would fail for a reason that names none.
func (c *Context) checkFIPS(s *config.Service) error {
	for _, pair := range c.Config.Certificates {
		for _, der := range pair.Certificate {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return s.Errorf("cert", "parsing a certificate: %v", err)
			}
			if !approvedKey(cert.PublicKey) {
				return s.Errorf("cert", "fips = yes: the key of %s (%s) is not approved", cert.Subject, keyName(cert)).
					WithHint("have a certificate issued for RSA with 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519")
			}
		}
	}
	return nil
}

func approvedKey(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minFIPSModulus
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521()
	case ed25519.PublicKey:
		return true
	}
	return false
}
