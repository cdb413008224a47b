package service

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
	"github.com/stunnel-wasm/stunnel-wasm/host/tlsconf"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// fact gives what the host knows of the connection, to whichever guest.
func (c *connection) fact(id abi.InfoID) (string, bool) {
	switch id {
	case abi.InfoService:
		return c.svc.Name(), true
	case abi.InfoMode:
		if c.svc.conf.Client {
			return "client", true
		}
		return "server", true
	case abi.InfoPeerAddr:
		return plainAddr(c.accepted.RemoteAddr()), true
	case abi.InfoLocalAddr:
		return plainAddr(c.accepted.LocalAddr()), true
	case abi.InfoTargetAddr:
		if c.outgoing == nil {
			return "", false
		}
		return plainAddr(c.outgoing.RemoteAddr()), true
	case abi.InfoBoundAddr:
		if c.outgoing == nil {
			return "", false
		}
		return plainAddr(c.outgoing.LocalAddr()), true
	}
	if c.tls == nil {
		return "", false
	}
	switch id {
	case abi.InfoPeerVerified:
		return c.verified(), true
	case abi.InfoPeerPSK:
		return c.keyHolder()
	}
	return tlsFact(id, c.tls.ConnectionState())
}

// verified tells whether the peer's certificate was checked; one that fails ends the handshake.
func (c *connection) verified() string {
	if !c.redirected && c.chosen().conf.Verifies() && len(c.tls.ConnectionState().PeerCertificates) > 0 {
		return "yes"
	}
	return "no"
}

// keyHolder tells whose key the client came with: the handshake, which has succeeded, shows
// that it has it.
func (c *connection) keyHolder() (string, bool) {
	t, ok := c.tls.(*psk.Conn)
	if !ok || c.svc.conf.Client {
		return "", false
	}
	name, known := t.Identity()
	return name, known
}

func tlsFact(id abi.InfoID, cs tls.ConnectionState) (string, bool) {
	switch id {
	case abi.InfoSNI:
		return cs.ServerName, cs.ServerName != ""
	case abi.InfoALPN:
		return cs.NegotiatedProtocol, cs.NegotiatedProtocol != ""
	case abi.InfoTLSVersion:
		return tlsconf.VersionName(cs.Version), true
	case abi.InfoResumed:
		if cs.DidResume {
			return "yes", true
		}
		return "no", true
	case abi.InfoCipher:
		name, _ := tlsconf.SuiteName(cs.CipherSuite)
		return name, true
	}
	if len(cs.PeerCertificates) == 0 {
		return "", false
	}
	cert := cs.PeerCertificates[0]
	switch id {
	case abi.InfoPeerSubject:
		return verify.Name(cert.Subject), true
	case abi.InfoPeerIssuer:
		return verify.Name(cert.Issuer), true
	case abi.InfoPeerSPKIHash:
		sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
		return hex.EncodeToString(sum[:]), true
	case abi.InfoPeerSAN:
		return alternativeNames(cert), true
	case abi.InfoPeerCertHash:
		sum := sha256.Sum256(cert.Raw)
		return hex.EncodeToString(sum[:]), true
	case abi.InfoPeerCN:
		return cert.Subject.CommonName, cert.Subject.CommonName != ""
	}
	return "", false
}

// alternativeNames gives a certificate's names, a line each. One with a line feed in it
// would read as two, the second of the peer's choice, and is left out.
func alternativeNames(cert *x509.Certificate) string {
	var lines strings.Builder
	add := func(kind, name string) {
		if !strings.ContainsFunc(name, unicode.IsControl) {
			lines.WriteString(kind + ":" + name + "\n")
		}
	}
	for _, n := range cert.DNSNames {
		add("DNS", n)
	}
	for _, n := range cert.EmailAddresses {
		add("email", n)
	}
	for _, n := range cert.IPAddresses {
		add("IP", n.String())
	}
	for _, n := range cert.URIs {
		add("URI", n.String())
	}
	return lines.String()
}
