package suite

import (
	"fmt"
	"slices"
	"strings"
)

// signatures are the schemes that crypto/tls uses in TLS 1.2 and 1.3, with OpenSSL's
// names of each.
var signatures = [][]string{
	{"ecdsa_secp256r1_sha256", "ECDSA+SHA256"}, {"ecdsa_secp384r1_sha384", "ECDSA+SHA384"}, {"ecdsa_secp521r1_sha512", "ECDSA+SHA512"},
	{"ed25519"},
	{"rsa_pss_rsae_sha256", "RSA-PSS+SHA256", "PSS+SHA256"}, {"rsa_pss_rsae_sha384", "RSA-PSS+SHA384", "PSS+SHA384"},
	{"rsa_pss_rsae_sha512", "RSA-PSS+SHA512", "PSS+SHA512"},
	{"rsa_pkcs1_sha256", "RSA+SHA256"}, {"rsa_pkcs1_sha384", "RSA+SHA384"}, {"rsa_pkcs1_sha512", "RSA+SHA512"},
}

// otherSignatures are OpenSSL's further names.
var otherSignatures = strings.Fields("ed448 rsa_pss_pss_sha256 rsa_pss_pss_sha384 rsa_pss_pss_sha512 ecdsa_sha224 ecdsa_sha1 " +
	"rsa_pkcs1_sha224 rsa_pkcs1_sha1 dsa_sha224 dsa_sha1 dsa_sha256 dsa_sha384 dsa_sha512 " +
	"RSA+SHA224 RSA+SHA1 ECDSA+SHA224 ECDSA+SHA1 DSA+SHA1 DSA+SHA224 DSA+SHA256 DSA+SHA384 DSA+SHA512")

// ParseSignatures reads a list of signature algorithms and gives those of crypto/tls that
// are not in it.
func ParseSignatures(text string) (missing []string, err error) {
	listed := strings.Split(text, ":")
	for _, name := range listed {
		known := slices.Contains(otherSignatures, name)
		for _, names := range signatures {
			known = known || slices.Contains(names, name)
		}
		if !known {
			return nil, fmt.Errorf("%q is not known", name)
		}
	}
	for _, names := range signatures {
		if !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(listed, n) }) {
			missing = append(missing, names[0])
		}
	}
	return missing, nil
}
