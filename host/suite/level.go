package suite

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
)

// MaxLevel is OpenSSL's highest security level.
const MaxLevel = 5

// minBits is the security that a level asks of keys, hashes and suites, in bits
// (SSL_CTX_set_security_level(3)).
var minBits = [MaxLevel + 1]int{0, 80, 112, 128, 192, 256}

// MinBits is the security that a level asks for, in bits.
func MinBits(level int) int { return minBits[min(max(level, 0), MaxLevel)] }

// AllowedAt tells whether a security level admits the suite.
func (s *Suite) AllowedAt(level int) bool {
	if level <= 0 {
		return true
	}
	switch least := MinBits(level); {
	case s.bits < least, s.auth == aNone, s.mac == mMD5,
		s.enc == rc4 && level >= 2,
		s.mac == mSHA1 && least > 160:
		return false
	}
	// From level 3 on a stolen key must not open recorded sessions.
	return level < 3 || s.kx&(kDH|kECDH|kDHEPSK|kECDHEPSK) != 0
}

// KeyBits is the security of a public key in bits (NIST SP 800-57 part 1, table 2, with
// OpenSSL's steps), 0 for one of an unknown kind.
func KeyBits(key crypto.PublicKey) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return rsaBits(k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize / 2
	case ed25519.PublicKey:
		return 128
	}
	return 0
}

// rsaBits is what OpenSSL counts an RSA key for whose length is a usual one; a key
// between two of them counts for the shorter.
func rsaBits(length int) int {
	for _, step := range [][2]int{{15360, 256}, {8192, 200}, {7680, 192}, {6144, 176}, {4096, 152}, {3072, 128}, {2048, 112}, {1024, 80}} {
		if length >= step[0] {
			return step[1]
		}
	}
	return 0
}

// HashBits is the security of a certificate's signature against collisions, in bits, as
// OpenSSL 3 counts it: SHA-1 falls short of level 1.
func HashBits(a x509.SignatureAlgorithm) int {
	switch a {
	case x509.MD5WithRSA:
		return 39
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return 63
	case x509.SHA256WithRSA, x509.DSAWithSHA256, x509.ECDSAWithSHA256, x509.SHA256WithRSAPSS, x509.PureEd25519:
		return 128
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		return 192
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		return 256
	}
	return 0
}
