package matrix

import "fmt"

// strengthTrials have weak and strong keys and signatures at each place, at the security
// levels that an operator may set.
func strengthTrials() []*trial {
	var all []*trial
	kinds := []string{"rsa1024", "rsa2048", "rsa3072", "p224", "p256", "p384", "p521", "ed25519"}
	for level := range 4 {
		option := fmt.Sprintf("securityLevel = %d\n", level)
		for _, kind := range kinds {
			for i, place := range places {
				if i == 0 && kind == "p224" {
					continue // crypto/tls cannot play such a peer
				}
				t := &trial{name: fmt.Sprintf("level %d, %s, %s", level, kind, place), options: option, only: ofServer}
				t.trusted, t.sent = chain(map[int][]edit{i: {with(newKey(kind, i))}})
				all = append(all, t)
			}
		}
		for _, alg := range []string{"rsa-md5", "rsa-sha1", "rsa-sha512", "rsa-pss", "ecdsa-sha1", "ecdsa-sha224", "ecdsa-sha384", "ecdsa-sha512"} {
			for i, place := range places {
				t := &trial{name: fmt.Sprintf("level %d, signed with %s, %s", level, alg, place), options: option, only: ofServer}
				at := map[int][]edit{i: {signedWith(alg)}}
				if alg[:3] == "rsa" {
					signer := min(i+1, 3)
					at[signer] = append(at[signer], with(newKey("rsa3072", signer%2)))
				}
				t.trusted, t.sent = chain(at)
				all = append(all, t)
			}
		}
	}
	return append(all, unverifiedStrength()...)
}

// unverifiedStrength has weak keys where the chain is not asked for.
func unverifiedStrength() []*trial {
	weak := root(with(newKey("rsa1024", 0)))
	l := leaf(weak, with(newKey("rsa1024", 1)))
	strongRoot := root()
	own := leaf(strongRoot, with(newKey("rsa1024", 1)))
	sha1Root := root(with(newKey("rsa2048", 0)))
	sha1 := leaf(sha1Root, signedWith("rsa-sha1"))
	other := root(cn("Stranger"), with(newKey("p256", 3)))
	var all []*trial
	for _, level := range []string{"verify = 0", "verify = 1", "verify = 2", "verify = 3", "verify = 4", "verifyPeer = yes", "requireCert = yes"} {
		all = append(all,
			&trial{name: level + ", small keys", trusted: certs(weak, l), sent: certs(l), level: level},
			&trial{name: level + ", small key of the leaf, issuer unknown", trusted: certs(own), sent: certs(own), level: level},
			&trial{name: level + ", small key of a sent issuer, leaf listed", trusted: certs(leaf(weak), other), sent: certs(leaf(weak), weak), level: level},
			&trial{name: level + ", SHA-1", trusted: certs(sha1, sha1Root), sent: certs(sha1), level: level},
			&trial{name: level + ", SHA-1, issuer unknown", trusted: certs(sha1), sent: certs(sha1), level: level},
		)
	}
	return all
}
