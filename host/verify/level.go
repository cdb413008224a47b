package verify

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"math"
)

// levelBits are the bits of security that each level of OpenSSL asks, from 0 to 5.
var levelBits = [...]int{0, 80, 112, 128, 192, 256}

// weakness goes up a path and tells which keys and signatures are too weak for a security
// level. The peer's own key is judged before the path is built, see weakKey. The
// signature of the last does not count: it is trusted for being listed.
func (p *path) weakness(level int, fail func(depth int, reason string) error) error {
	if level <= 0 {
		return nil
	}
	for depth, n := range p.certs {
		if depth > 0 && weakKey(n, level) {
			if err := fail(depth, "CA certificate key too weak"); err != nil {
				return err
			}
		}
		if depth < len(p.certs)-1 && signatureBits(n.SignatureAlgorithm) < asked(level) {
			if err := fail(depth, "CA signature digest algorithm too weak"); err != nil {
				return err
			}
		}
	}
	return nil
}

func weakKey(n *node, level int) bool { return level > 0 && keyBits(n.PublicKey) < asked(level) }

func asked(level int) int { return levelBits[min(level, len(levelBits)-1)] }

// keyBits is the security of a public key as OpenSSL counts it, 0 for one that is not
// known here.
func keyBits(key any) int {
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

// signatureBits is the security of a signature's digest as OpenSSL counts it.
func signatureBits(a x509.SignatureAlgorithm) int {
	switch a {
	case x509.MD5WithRSA:
		return 39
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return 63
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256, x509.PureEd25519, x509.DSAWithSHA256:
		return 128
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return 192
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return 256
	}
	return 0
}
