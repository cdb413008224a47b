package suite

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Group is a group of the key exchange, once called a curve.
type Group struct {
	Name string      // as in the list
	ID   tls.CurveID // 0: crypto/tls does not have it
	Bits int         // security
}

// ErrGroups is a list that OpenSSL refuses as a whole.
var ErrGroups = errors.New("invalid groups list")

// groups are OpenSSL's names, in lower case. OpenSSL 3.0 asks for their case of
// letters, later releases do not. The hybrids are of OpenSSL 3.5.
var groups = map[string]Group{
	"p-256": {ID: tls.CurveP256, Bits: 128}, "secp256r1": {ID: tls.CurveP256, Bits: 128}, "prime256v1": {ID: tls.CurveP256, Bits: 128},
	"p-384": {ID: tls.CurveP384, Bits: 192}, "secp384r1": {ID: tls.CurveP384, Bits: 192},
	"p-521": {ID: tls.CurveP521, Bits: 256}, "secp521r1": {ID: tls.CurveP521, Bits: 256},
	"x25519":             {ID: tls.X25519, Bits: 128},
	"x25519mlkem768":     {ID: tls.X25519MLKEM768, Bits: 192},
	"secp256r1mlkem768":  {ID: tls.SecP256r1MLKEM768, Bits: 192},
	"secp384r1mlkem1024": {ID: tls.SecP384r1MLKEM1024, Bits: 256},
}

// otherGroups are those that OpenSSL has and crypto/tls does not.
var otherGroups = strings.Fields("x448 secp224r1 p-224 secp224k1 secp192r1 prime192v1 p-192 secp192k1 secp160k1 secp160r1 secp160r2 secp256k1 " +
	"sect163k1 k-163 sect163r1 sect163r2 b-163 sect193r1 sect193r2 sect233k1 k-233 sect233r1 b-233 sect239k1 sect283k1 k-283 " +
	"sect283r1 b-283 sect409k1 k-409 sect409r1 b-409 sect571k1 k-571 sect571r1 b-571 " +
	"brainpoolp256r1 brainpoolp384r1 brainpoolp512r1 brainpoolp256r1tls13 brainpoolp384r1tls13 brainpoolp512r1tls13 " +
	"ffdhe2048 ffdhe3072 ffdhe4096 ffdhe6144 ffdhe8192 mlkem512 mlkem768 mlkem1024 sm2 curvesm2 curvesm2mlkem768")

// GroupNames lists the groups that crypto/tls has, in OpenSSL's spelling.
const GroupNames = "X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, X25519, P-256, P-384, P-521"

// DefaultGroups is that list as a value of curves.
var DefaultGroups = strings.ReplaceAll(GroupNames, ", ", ":")

// ParseGroups reads a list of groups with colons between. An unknown name, one given
// twice, or none at all spoils the list, as in OpenSSL: ErrGroups.
func ParseGroups(text string) ([]Group, error) {
	var list []Group
	for name := range strings.SplitSeq(text, ":") {
		name = strings.TrimSpace(name)
		g, ok := groups[strings.ToLower(name)]
		if !ok && !slices.Contains(otherGroups, strings.ToLower(name)) {
			return nil, fmt.Errorf("%w: %q is not known", ErrGroups, name)
		}
		g.Name = name
		for _, other := range list {
			if other.Name == name || g.ID != 0 && other.ID == g.ID {
				return nil, fmt.Errorf("%w: %q is there twice", ErrGroups, name)
			}
		}
		list = append(list, g)
	}
	return list, nil
}

// StrongGroups are the groups that a level admits out of those that crypto/tls offers
// by default.
func StrongGroups(level int) (ids []tls.CurveID) {
	for _, name := range strings.Split(GroupNames, ", ") {
		if g := groups[strings.ToLower(name)]; g.Bits >= MinBits(level) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
