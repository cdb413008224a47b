// Package verify judges a TLS peer's certificate as a service's options ask.
//
// crypto/tls is always told to accept any certificate, and a Verifier's Check
// runs in its VerifyConnection: on full handshakes and on resumed ones alike, so
// a session ticket never outlives the trust that it was given under.
package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// An Error says why a certificate was rejected, in OpenSSL's words where it has
// some, since operators look for them.
type Error struct {
	Reason  string            // "self-signed certificate", "certificate has expired", ...
	Depth   int               // of the certificate that the reason is about; 0 is the peer's own
	Cert    *x509.Certificate // nil when the peer sent none
	Subject bool              // the chain is good, the name is another
	Revoked bool              // the chain is good, a Revocation refuses it and has said why in the log
}

func (e *Error) Error() string {
	if e.Cert == nil {
		return e.Reason
	}
	return fmt.Sprintf("certificate verify failed: %s at depth=%d: %s", e.Reason, e.Depth, Name(e.Cert.Subject))
}

// ErrNoCertificate is the error when a certificate is required and none came.
var ErrNoCertificate = &Error{Reason: "peer did not return a certificate"}

// A Revocation finds out whether certificates of a good chain were revoked since.
type Revocation interface {
	// Check gets the chain, from the peer's own certificate to the anchor, and the
	// OCSP response that the peer stapled, if any. It is called on resumption too, and
	// may ask others until ctx ends. Its errors are *Error.
	Check(ctx context.Context, chain []*x509.Certificate, staple []byte, log *logging.Logger) error
}

// A Verifier holds what a service trusts. The zero value accepts everything.
// It is safe for concurrent use.
type Verifier struct {
	Server  bool     // the peer is a server
	Require bool     // a certificate must come
	Chain   bool     // its chain must lead to an anchor
	Hosts   []string // checkHost: one must match

	// Revocation is asked last, about the chain that was found; nil: nobody is.
	Revocation Revocation

	anchors       *x509.CertPool
	intermediates []*x509.Certificate
	now           func() time.Time
}

// SetTrusted tells the certificates of CAfile. Only self-signed ones are trust
// anchors, as OpenSSL has it; crypto/x509 alone would take any of them for one,
// and so trust an intermediate whose root was removed on purpose.
func (v *Verifier) SetTrusted(certs []*x509.Certificate) {
	v.anchors = x509.NewCertPool()
	v.intermediates = nil
	for _, c := range certs {
		if SelfSigned(c) {
			v.anchors.AddCert(c)
		} else {
			v.intermediates = append(v.intermediates, c)
		}
	}
}

// SelfSigned says whether a certificate is its own issuer.
func SelfSigned(c *x509.Certificate) bool {
	return string(c.RawIssuer) == string(c.RawSubject) &&
		(len(c.AuthorityKeyId) == 0 || string(c.AuthorityKeyId) == string(c.SubjectKeyId))
}

// Asks tells whether there is anything to check.
func (v *Verifier) Asks() bool { return v.Require || v.Chain }

// Check judges the certificates of one connection, and tells in its log what an operator
// wants to know beside the verdict. ctx bounds what is asked of others meanwhile. Its
// errors are *Error.
func (v *Verifier) Check(ctx context.Context, cs tls.ConnectionState, log *logging.Logger) error {
	if len(cs.PeerCertificates) == 0 {
		if v.Require {
			return ErrNoCertificate
		}
		return nil
	}
	if !v.Chain {
		return nil
	}
	leaf := cs.PeerCertificates[0]
	usage := x509.ExtKeyUsageClientAuth
	if v.Server {
		usage = x509.ExtKeyUsageServerAuth
	}
	pool := x509.NewCertPool()
	for _, c := range cs.PeerCertificates[1:] {
		pool.AddCert(c)
	}
	for _, c := range v.intermediates {
		pool.AddCert(c)
	}
	o := x509.VerifyOptions{Roots: v.anchors, Intermediates: pool, KeyUsages: []x509.ExtKeyUsage{usage}, CurrentTime: time.Now()}
	if o.Roots == nil {
		o.Roots = x509.NewCertPool() // never the system's
	}
	if v.now != nil {
		o.CurrentTime = v.now()
	}
	chains, err := leaf.Verify(o)
	if err != nil {
		return chainError(err, cs.PeerCertificates, o.CurrentTime)
	}
	if len(v.Hosts) > 0 && !v.matchHost(leaf, chains) {
		return &Error{Reason: "Subject checks failed", Cert: leaf, Subject: true}
	}
	if v.Revocation != nil {
		return v.Revocation.Check(ctx, chains[0], cs.OCSPResponse, log)
	}
	return nil
}

// chainError puts crypto/x509's verdict in OpenSSL's words.
func chainError(err error, sent []*x509.Certificate, now time.Time) *Error {
	leaf := sent[0]
	at := func(c *x509.Certificate, reason string) *Error {
		for i, s := range sent {
			if s.Equal(c) {
				return &Error{Reason: reason, Depth: i, Cert: c}
			}
		}
		return &Error{Reason: reason, Depth: len(sent), Cert: c}
	}
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var critical x509.UnhandledCriticalExtension
	switch {
	case errors.As(err, &invalid):
		c := invalid.Cert
		if c == nil {
			c = leaf
		}
		switch invalid.Reason {
		case x509.Expired:
			if now.Before(c.NotBefore) {
				return at(c, "certificate is not yet valid")
			}
			return at(c, "certificate has expired")
		case x509.IncompatibleUsage:
			return at(c, "unsuitable certificate purpose")
		case x509.NotAuthorizedToSign:
			return at(c, "invalid CA certificate")
		case x509.TooManyIntermediates:
			return at(c, "path length constraint exceeded")
		case x509.CANotAuthorizedForThisName, x509.NameMismatch:
			return at(c, "permitted subtree violation")
		}
		return at(c, invalid.Error())
	case errors.As(err, &critical):
		return at(leaf, "unhandled critical extension")
	case errors.As(err, &unknown):
		last, depth := lastIssuer(sent)
		reason := "unable to get local issuer certificate"
		switch {
		case SelfSigned(last) && depth == 0:
			reason = "self-signed certificate"
		case SelfSigned(last):
			reason = "self-signed certificate in certificate chain"
		}
		return &Error{Reason: reason, Depth: depth, Cert: last}
	}
	return at(leaf, err.Error())
}

// lastIssuer goes from the peer's own certificate up through what it sent, each
// time to an issuer of the right name, and gives the last. Its depth is what
// OpenSSL counts, whatever the order in which they were sent.
func lastIssuer(sent []*x509.Certificate) (last *x509.Certificate, depth int) {
	last = sent[0]
	rest := slices.Clone(sent[1:])
	for !SelfSigned(last) {
		i := slices.IndexFunc(rest, func(c *x509.Certificate) bool {
			return string(c.RawSubject) == string(last.RawIssuer)
		})
		if i < 0 {
			break
		}
		last, depth = rest[i], depth+1
		rest = slices.Delete(rest, i, i+1)
	}
	return last, depth
}

// matchHost says whether one of the host names stands in the certificate. A
// certificate without DNS names is matched by its common name, as OpenSSL does
// and crypto/x509 does not. Nor does crypto/x509 apply name constraints to common
// names, and a CA that is held to some names could sign any other in one: below such
// a CA the common name does not count.
func (v *Verifier) matchHost(c *x509.Certificate, chains [][]*x509.Certificate) bool {
	for _, h := range v.Hosts {
		if len(c.DNSNames) > 0 {
			for _, name := range c.DNSNames {
				if matchName(name, h) {
					return true
				}
			}
		} else if c.Subject.CommonName != "" && matchName(c.Subject.CommonName, h) && slices.ContainsFunc(chains, unconstrained) {
			return true
		}
	}
	return false
}

// unconstrained says whether no CA of a chain is held to some DNS names.
func unconstrained(chain []*x509.Certificate) bool {
	return !slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
		return len(c.PermittedDNSDomains) > 0 || len(c.ExcludedDNSDomains) > 0
	})
}

// matchName compares a name or wildcard pattern of a certificate with a host
// name. One star is allowed, for the first label alone and not above a top-level
// domain (RFC 6125, section 6.4.3).
func matchName(pattern, host string) bool {
	pattern, host = strings.ToLower(pattern), strings.ToLower(host)
	if pattern == host {
		return pattern != "" && !strings.ContainsRune(pattern, 0)
	}
	rest, ok := strings.CutPrefix(pattern, "*.")
	if !ok || strings.Contains(rest, "*") || !strings.Contains(rest, ".") {
		return false
	}
	label, suffix, ok := strings.Cut(host, ".")
	return ok && label != "" && suffix == rest
}
