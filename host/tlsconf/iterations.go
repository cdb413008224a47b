package tlsconf

import (
	"encoding/asn1"
	"math"
	"math/big"
)

// maxNesting is how deep elements lie within each other in a PKCS #12 file (the derivation
// of an encrypted key in level 16), and more.
const maxNesting = 32

// iterations gives the largest count that stands open in a PKCS #12 file; it is held to
// [pbes2.MaxIterations], as a key's is. In each of the forms that have one (MacData of RFC
// 7292, the parameters of RFC 8018 and of RFC 7292 appendix C) it is the INTEGER behind an
// OCTET STRING, the salt.
func iterations(der []byte, depth int) int {
	most, salt := 0, false
	if depth == maxNesting {
		return math.MaxInt32 // nothing may hide below
	}
	for len(der) > 0 {
		var e asn1.RawValue
		rest, err := asn1.Unmarshal(der, &e)
		if err != nil {
			break // an OCTET STRING that holds no elements
		}
		if e.Class == asn1.ClassUniversal && e.Tag == asn1.TagInteger && salt {
			n := new(big.Int).SetBytes(e.Bytes)
			if !n.IsInt64() || n.Int64() > math.MaxInt32 {
				return math.MaxInt32
			}
			most = max(most, int(n.Int64()))
		}
		salt = e.Class == asn1.ClassUniversal && e.Tag == asn1.TagOctetString
		if e.IsCompound || salt {
			most = max(most, iterations(e.Bytes, depth+1))
		}
		der = rest
	}
	return most
}
