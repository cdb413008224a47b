// Package suite knows OpenSSL's names for what a TLS handshake settles: the cipher
// suites with the language of cipher lists (Parse), the suites of TLS 1.3
// (ParseTLS13), the groups of the key exchange (ParseGroups), and which of them a
// security level admits.
//
// It says what OpenSSL would make of a text, in OpenSSL's order. What of that
// crypto/tls has is another question: Suite.Exists and Group.ID answer it. The table of
// suites is OpenSSL's own (gen.go writes it); the tests compare the language with the
// installed OpenSSL.
package suite

import (
	"crypto/tls"
	"slices"
)

//go:generate go run gen.go

// A mask is a set of properties of one kind.
type mask uint32

// Key exchanges, as openssl ciphers -v names them behind Kx=.
const (
	kRSA mask = 1 << iota
	kDH
	kECDH
	kPSK
	kRSAPSK
	kDHEPSK
	kECDHEPSK
	kSRP
)

// Ways to authenticate the server, behind Au=.
const (
	aRSA mask = 1 << iota
	aDSS
	aECDSA
	aPSK
	aSRP
	aNone
)

// Encryptions, behind Enc=.
const (
	aesCBC mask = 1 << iota
	aesGCM
	aesCCM
	aesCCM8
	ariaGCM
	camellia
	chacha20
	tripleDES
	rc4
	null
)

// Message authentication codes, behind Mac=.
const (
	mMD5 mask = 1 << iota
	mSHA1
	mSHA256
	mSHA384
	mAEAD
)

// The lowest version that has a suite.
const (
	ssl3  = 0x0300
	tls10 = 0x0301
	tls12 = 0x0303
)

// What else OpenSSL says of a suite.
const (
	high       mask = 1 << iota
	fips            // approved by FIPS 140
	notDefault      // left out of DEFAULT
	noStrength      // encrypts nothing
)

// A Suite is a cipher suite of TLS 1.2 or older.
type Suite struct {
	ID   uint16
	Name string // OpenSSL's
	RFC  string // as the RFC that defines it writes it

	kx, auth, enc mask
	bits          int // of the key, as strength
	mac           mask
	min           uint16
	flags         mask
}

// String gives OpenSSL's name.
func (s *Suite) String() string { return s.Name }

// PSK tells the suites whose keys come from a shared secret, alone or with another key
// exchange.
func (s *Suite) PSK() bool { return s.kx&(kPSK|kRSAPSK|kDHEPSK|kECDHEPSK) != 0 }

// Bits is the length of the encryption's key.
func (s *Suite) Bits() int {
	if s.enc == tripleDES {
		return 168 // strength, the field, is 112
	}
	return s.bits
}

// Exists tells whether crypto/tls has the suite.
func (s *Suite) Exists() bool { return existing[s.ID] }

var existing = func() map[uint16]bool {
	m := map[uint16]bool{}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		m[s.ID] = true
	}
	return m
}()

// TimesMAC tells the suites that crypto/tls decrypts without hiding how long checking
// the MAC takes (Lucky Thirteen: whoever can make a peer send a secret again and again
// reads it from the times). It hides them for SHA-1 only; OpenSSL for all.
func (s *Suite) TimesMAC() bool { return s.enc == aesCBC && s.mac != mSHA1 }

// Weak tells the suites that builds of OpenSSL have no more. No alias leads to them:
// who wants one names it.
func (s *Suite) Weak() bool { return s.enc == rc4 || s.enc == tripleDES }

// weak are the suites with RC4 and 3DES that crypto/tls still has. OpenSSL has them if
// built with enable-weak-ssl-ciphers.
var weak = []Suite{
	{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, "ECDHE-ECDSA-RC4-SHA", "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", kECDH, aECDSA, rc4, 128, mSHA1, tls10, notDefault},
	{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, "ECDHE-RSA-RC4-SHA", "TLS_ECDHE_RSA_WITH_RC4_128_SHA", kECDH, aRSA, rc4, 128, mSHA1, tls10, notDefault},
	{tls.TLS_RSA_WITH_RC4_128_SHA, "RC4-SHA", "TLS_RSA_WITH_RC4_128_SHA", kRSA, aRSA, rc4, 128, mSHA1, ssl3, notDefault},
	{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, "ECDHE-RSA-DES-CBC3-SHA", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", kECDH, aRSA, tripleDES, 112, mSHA1, tls10, notDefault},
	{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, "DES-CBC3-SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", kRSA, aRSA, tripleDES, 112, mSHA1, ssl3, notDefault},
}

// ByID finds a suite by its number in the protocol; nil if there is none.
func ByID(id uint16) *Suite { return byID[id] }

// named finds a suite by OpenSSL's name, or by the RFCs' as newer OpenSSL does.
func named(name string) *Suite { return byName[name] }

var byID, byName = func() (map[uint16]*Suite, map[string]*Suite) {
	ids, names := map[uint16]*Suite{}, map[string]*Suite{}
	for _, part := range [][]Suite{table, weak} {
		for i := range part {
			s := &part[i]
			ids[s.ID], names[s.Name], names[s.RFC] = s, s, s
		}
	}
	return ids, names
}()

// Names gives the names of suites.
func Names(suites []*Suite) []string {
	names := make([]string, len(suites))
	for i, s := range suites {
		names[i] = s.Name
	}
	return names
}

// Usable tells the suites that a stunnel could use if its certificate is RSA's or
// ECDSA's: not those with keys of DSA, shared secrets or passwords.
func (s *Suite) Usable() bool { return s.auth&(aRSA|aECDSA|aNone) != 0 && s.kx&(kRSAPSK|kSRP) == 0 }
