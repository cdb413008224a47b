// Package psk speaks TLS with pre-shared keys in place of certificates, which crypto/tls
// cannot: TLS 1.3 with external keys and an ephemeral exchange (psk_dhe_ke; RFC 8446,
// sections 2.2 and 4.2.11) and the PSK and ECDHE-PSK suites of TLS 1.2 that have an AEAD
// (RFC 4279, 5487, 5489, 7905, 8442). One ClientHello offers both versions.
//
// The package is small because much of TLS is not in it: no certificates, no signatures,
// no tickets, no resumption, no early data, no renegotiation, no compression. A handshake
// is a straight line of messages. Each step admits the one message that may come there and
// takes everything else for an attack; every message is bounded before it is read.
//
// Who has a [Secrets] file's key is trusted; nobody else gets further than the handshake.
// Whether an identity exists is hidden from who does not have its key: an unknown one goes
// the same way with a random key, and fails where a wrong key fails.
package psk

import (
	"crypto/fips140"
	"crypto/tls"
	"errors"
	"slices"
)

// A Config is what one side needs for its handshakes. It must not be changed once it is in
// use, and is safe for concurrent use.
type Config struct {
	Secrets *Secrets

	// Identity is the one that a client gives.
	Identity string

	// ServerName is what a client asks for; empty: no extension. It must not end in a dot
	// (RFC 6066, section 3).
	ServerName string

	// Protocols are the application protocols (ALPN, RFC 7301) that a client offers and a
	// server accepts, the best first. Nil: no extension, and a server takes no notice.
	Protocols []string

	// MinVersion and MaxVersion are bounds as crypto/tls numbers them. 0: TLS 1.2 and 1.3.
	MinVersion, MaxVersion uint16

	// Groups are those of the ephemeral exchange, the best first. Nil: DefaultGroups.
	Groups []tls.CurveID

	// Suites are those that may be used, of both versions. Nil: all. The order is fixed.
	Suites []uint16
}

// Check says why no handshake could work with a configuration, nil if one could.
func (c *Config) Check(client bool) error {
	low, high := c.versions()
	switch {
	case c.Secrets == nil || c.Secrets.Len() == 0:
		return errors.New("no pre-shared key")
	case low > high: // or no version has a suite left
		return errors.New("pre-shared keys need TLS 1.2 or TLS 1.3")
	case len(c.groups()) == 0:
		return errors.New("none of the groups can be used with pre-shared keys")
	}
	if client && !c.Secrets.Has(c.Identity) {
		return errors.New("no key for the identity")
	}
	return nil
}

// versions are the bounds within what exists here. Where a version has no suite left, it
// is out of them; where no version is left, low is above high.
func (c *Config) versions() (low, high uint16) {
	low, high = max(c.MinVersion, tls.VersionTLS12), uint16(tls.VersionTLS13)
	if c.MaxVersion != 0 {
		high = min(c.MaxVersion, high)
	}
	if !slices.ContainsFunc(suites13, c.allows) {
		high = min(high, tls.VersionTLS12)
	}
	if !slices.ContainsFunc(suites12, c.allows) {
		low = max(low, tls.VersionTLS13)
	}
	return low, high
}

// groups are the ones that may be used.
func (c *Config) groups() []tls.CurveID {
	all := c.Groups
	if all == nil {
		all = DefaultGroups
	}
	return slices.DeleteFunc(slices.Clone(all), func(g tls.CurveID) bool {
		return curve(g) == nil || fips140.Enabled() && g == tls.X25519
	})
}

// allows says whether a suite may be used.
func (c *Config) allows(s *suite) bool {
	return (s.approved() || !fips140.Enabled()) && (c.Suites == nil || slices.Contains(c.Suites, s.id))
}

func (c *Config) suites13() []*suite { return c.allowed(suites13) }
func (c *Config) suites12() []*suite { return c.allowed(suites12) }

func (c *Config) allowed(list []*suite) []*suite {
	return slices.DeleteFunc(slices.Clone(list), func(s *suite) bool { return !c.allows(s) })
}
