package tlsconf

import (
	"crypto/rsa"
	"crypto/tls"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// restricted is a private key that may not make all signatures that keys of its type make.
type restricted interface {
	// Schemes are those that it makes; nil: all.
	Schemes() []tls.SignatureScheme
}

// leaveVersions takes TLS 1.3 away from a service none of whose keys can sign in it:
// crypto/tls chooses the version first, so that the handshake would fail where TLS 1.2
// would do. RSA keys sign by PSS alone there (RFC 8446, section 4.2.3).
func (c *Context) leaveVersions(s *config.Service) error {
	for _, cert := range c.Config.Certificates {
		schemes := cert.SupportedSignatureAlgorithms
		_, isRSA := cert.Leaf.PublicKey.(*rsa.PublicKey)
		if schemes == nil || !isRSA || slices.Contains(schemes, tls.PSSWithSHA256) {
			return nil
		}
	}
	switch high := c.Config.MaxVersion; {
	case len(c.Config.Certificates) == 0 || high != 0 && high < tls.VersionTLS13:
	case c.Config.MinVersion >= tls.VersionTLS13:
		return s.Errorf("key", "the token does not make RSA-PSS signatures, which TLS 1.3 needs").
			WithHint("allow TLSv1.2, or use an ECDSA key")
	default:
		c.Config.MaxVersion = tls.VersionTLS12
		c.Warnings = append(c.Warnings, "Service ["+s.Name+"] has no TLSv1.3: the token does not make RSA-PSS signatures")
	}
	return nil
}
