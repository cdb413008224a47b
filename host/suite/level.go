package suite

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"math"
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

// KeyBits is the security of a public key in bits as OpenSSL counts it, 0 for one of an
// unknown kind.
func KeyBits(key crypto.PublicKey) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return rsaBits(k.N.BitLen())
	case *ecdsa.PublicKey:
		// Half the order's size, in the steps of SP 800-57 part 1, table 2.
		switch bits := k.Params().BitSize; {
		case bits >= 512:
			return 256
		case bits >= 384:
			return 192
		case bits >= 256:
			return 128
		case bits >= 224:
			return 112
		}
	case ed25519.PublicKey:
		return 128
	}
	return 0
}

// rsaBits is the security of an RSA modulus: SP 800-56B rev 2 appendix D, with the named
// sizes of table 4, rounded as OpenSSL does so that its verdict on odd sizes is ours.
func rsaBits(n int) int {
	switch n {
	case 2048:
		return 112
	case 3072:
		return 128
	case 4096:
		return 152
	case 6144:
		return 176
	case 7680:
		return 192
	case 8192:
		return 200
	case 15360:
		return 256
	}
	if n < 8 {
		return 0
	}
	x := float64(n) * math.Ln2
	e := (1.923*math.Cbrt(x*math.Pow(math.Log(x), 2)) - 4.69) / math.Ln2
	bits := (int(e) + 4) &^ 7
	// Never more than the next named size, whatever the rounding.
	for _, top := range []struct{ n, bits int }{{2048, 112}, {3072, 128}, {7680, 192}, {15360, 256}} {
		if n < top.n {
			return min(bits, top.bits)
		}
	}
	return min(bits, 1200)
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
