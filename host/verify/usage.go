package verify

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// Bits of the Netscape certificate type, an extension of old CAs that OpenSSL still heeds.
const (
	netscapeClient = 0x80
	netscapeServer = 0x40
	netscapeCA     = 0x04
)

// Kinds of CA certificate, in OpenSSL's order of trustworthiness.
type authorityKind int

const (
	noAuthority    authorityKind = iota
	fullAuthority                // basic constraints say so
	versionOne                   // self-signed, from before there were extensions
	byKeyUsage                   // none but a key usage that includes signing
	byNetscapeType               // none but an old type that includes CA
)

func (n *node) authorityKind() authorityKind {
	usage := n.extension(oidKeyUsage) != nil
	switch {
	case usage && n.KeyUsage&x509.KeyUsageCertSign == 0:
		return noAuthority
	case n.BasicConstraintsValid && n.IsCA:
		return fullAuthority
	case n.BasicConstraintsValid:
		return noAuthority
	case n.Version == 1 && n.selfSigned():
		return versionOne
	case usage:
		return byKeyUsage
	case n.netscape&netscapeCA != 0:
		return byNetscapeType
	}
	return noAuthority
}

func parseNetscapeType(ext []byte) (byte, error) {
	var bits asn1.BitString // named bits, so that trailing zeros are left out
	if s := cryptobyte.String(ext); !s.ReadASN1BitString(&bits) || !s.Empty() {
		return 0, errExtension
	}
	if len(bits.Bytes) == 0 {
		return 0, nil
	}
	return bits.Bytes[0], nil
}

// usages goes up a path and tells what its certificates may not be used for: the first
// reason and its depth. The root is judged as the others are.
func (p *path) usages(server bool, fail func(depth int, reason string) error) error {
	below := 0 // CAs beneath, without self-issued ones (RFC 5280 section 6.1.4)
	for depth, n := range p.certs {
		reason := ""
		switch {
		case n.rejected:
			reason = "certificate rejected"
		case n.unknownCritical():
			reason = "unhandled critical extension"
		case n.extension(oidProxyCertInfo) != nil:
			reason = "proxy certificates not allowed, please set the appropriate flag"
		case depth > 0 && !n.mayIssue(depth == len(p.certs)-1):
			reason = "invalid CA certificate"
		case !n.purpose(server, depth > 0):
			reason = "unsuitable certificate purpose"
		case depth > 1 && n.pathLength() >= 0 && below > n.pathLength():
			reason = "path length constraint exceeded"
		}
		if reason != "" {
			if err := fail(depth, reason); err != nil {
				return err
			}
		}
		if depth > 0 && !n.selfIssued() {
			below++
		}
	}
	return nil
}

// unknownCritical says whether a certificate asks to be refused by those who do not know
// an extension.
func (n *node) unknownCritical() bool {
	for _, oid := range n.UnhandledCriticalExtensions {
		// The first two are heeded here, directory names too; the third asks for nothing.
		if !oid.Equal(oidNetscapeType) && !oid.Equal(oidNameConstraints) && !oid.Equal(oidOCSPNoCheck) {
			return true
		}
	}
	return false
}

func (n *node) mayIssue(top bool) bool {
	kind := n.authorityKind()
	return kind == fullAuthority || top && kind != noAuthority && kind != byNetscapeType
}

// pathLength is how many CAs may stand below, -1 for any number.
func (n *node) pathLength() int {
	if !n.BasicConstraintsValid || !n.IsCA || n.MaxPathLen == 0 && !n.MaxPathLenZero {
		return -1
	}
	return n.MaxPathLen
}

// purpose says whether a certificate may be that of a TLS server or client, or of a CA
// for those.
func (n *node) purpose(server, authority bool) bool {
	if n.extension(oidExtendedKeyUsage) != nil && !n.extendedUsage(server) {
		return false
	}
	if authority {
		return true // an old type counts only where nothing else makes it a CA: see authorityKind
	}
	usage, netscape := x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement, byte(netscapeClient)
	if server {
		usage, netscape = usage|x509.KeyUsageKeyEncipherment, netscapeServer
	}
	if n.extension(oidKeyUsage) != nil && n.KeyUsage&usage == 0 {
		return false
	}
	return n.extension(oidNetscapeType) == nil || n.netscape&netscape != 0
}

// extendedUsage looks for the one purpose: OpenSSL does not count anyExtendedKeyUsage for
// it, and crypto/x509 does.
func (n *node) extendedUsage(server bool) bool {
	return slices.ContainsFunc(n.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		if !server {
			return u == x509.ExtKeyUsageClientAuth
		}
		return u == x509.ExtKeyUsageServerAuth ||
			u == x509.ExtKeyUsageMicrosoftServerGatedCrypto || u == x509.ExtKeyUsageNetscapeServerGatedCrypto
	})
}
