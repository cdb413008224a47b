// Package tlsconf makes a crypto/tls configuration out of a service's options:
// certificate and key, versions, cipher suites, session tickets, and what is
// asked of the peer's certificate.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/ocsp"
	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
	"github.com/stunnel-wasm/stunnel-wasm/host/session"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// A Context is what a service needs to speak TLS. It is never changed once built
// and safe for concurrent use.
type Context struct {
	Config   *tls.Config
	Leaf     *x509.Certificate // the first of the service's own; nil: none
	Verifier *verify.Verifier
	Warnings []string // each to be logged once, when the service is set up
	Notices  []string // the same of what is of less weight
	SNI      string   // what a client service sends; empty: nothing
	Suites   []uint16 // of TLS 1.2 and older that may be used, best first: also those with PSK, which crypto/tls lacks

	PSK *psk.Config // nil: no pre-shared keys; of a client: certificates are out of the question

	// Staplers keep responses about the service's own certificates, as long as somebody
	// runs them; none in a client.
	Staplers []*ocsp.Stapler

	listed []*x509.Certificate // in CAfile

	given      *session.Server // of a server; nil: sessions are not resumed
	offered    *session.Client // the same of a client
	ownSession bool            // see OwnSession
}

// For gives the configuration of one handshake. ALPN lists the application protocols
// that it offers, or accepts in a server; nil: none. Judge gets the peer's certificates, or
// those of the session that is resumed, and ends the handshake by an error; it is not
// called where the service asks nothing of its peers.
//
// Where there is neither, it is Config itself, at no cost. Otherwise it is a clone for this
// handshake, which ForPeer and ForSession take over: 480 bytes, and in a server 100 more for
// ticket keys that crypto/tls draws for it and nobody uses, in two microseconds. What
// outlives a handshake (certificates, staples, sessions) is shared by all clones.
func (c *Context) For(alpn []string, judge func(tls.ConnectionState) error) *tls.Config {
	if len(alpn) == 0 && !c.Verifier.Asks() {
		return c.Config
	}
	own := c.Config.Clone()
	own.NextProtos = alpn
	if c.Verifier.Asks() {
		own.VerifyConnection = judge
	}
	return own
}

// Options are what Build needs beside the service's own options. The zero value is for
// tests and for the check command.
type Options struct {
	// Store has the certificates and keys that are not in files; nil: none.
	Store Store
	// Sessions are what outlives a reload; nil: nothing does.
	Sessions *session.Generation
	// Passphrases opens encrypted keys; nil: none but those with keyPassphraseFile.
	Passphrases *passphrase.Keeper
	// FIPS says that the process is to be in FIPS mode.
	FIPS bool
}

// Build makes the Context of a service. Errors are *config.Error and name the
// option's line.
func Build(s *config.Service, o Options) (*Context, error) {
	c := &Context{Verifier: &verify.Verifier{
		Server:  s.Client,
		Require: s.RequireCert || len(s.Redirect) > 0, // who sent none failed, at every level
		Chain:   s.VerifyChain,
		Peer:    s.VerifyPeer,
		Hosts:   s.CheckHost,
		Emails:  s.Trust.CheckEmail,
		IPs:     s.Trust.CheckIP,
		Level:   s.SecurityLevel,
	}}
	c.Config = &tls.Config{
		MinVersion: uint16(s.MinVersion),
		MaxVersion: uint16(s.MaxVersion),
		// A relay's writes are large and its peers are proxied programs: records
		// that start small would only cost system calls.
		DynamicRecordSizingDisabled: true,
		// The Verifier does it: see For.
		InsecureSkipVerify: true,
	}
	if len(s.Cert) > 0 {
		if err := c.loadCertificates(s, o); err != nil {
			return nil, err
		}
		if len(c.Config.Certificates) > 0 {
			c.Leaf = c.Config.Certificates[0].Leaf
		}
	}
	if err := c.loadTrust(s, o); err != nil {
		return nil, err
	}
	if err := c.nameRequested(s); err != nil {
		return nil, err
	}
	if err := c.completeChains(s); err != nil {
		return nil, err
	}
	if o.FIPS {
		if err := c.checkFIPS(s); err != nil {
			return nil, err
		}
	}
	c.offer(s)
	if err := c.checkStrength(s); err != nil {
		return nil, err
	}
	c.checkRevocation(s)
	if err := c.loadSecrets(s); err != nil {
		return nil, err
	}
	if s.Client {
		c.client(s)
	} else {
		c.server(s)
	}
	if err := c.resume(s, o.Sessions); err != nil {
		return nil, err
	}
	if !s.Client {
		c.staple(s) // last: the others look at Config's certificates
	}
	return c, nil
}
