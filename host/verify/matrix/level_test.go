package matrix

import "encoding/pem"

// levelTrials are about what each level of verification asks: whether a certificate has to
// come, whether its chain counts and whether it has to be listed.
func levelTrials() []*trial {
	r, other := root(), root(cn("Stranger"), with(newKey("p256", 3)))
	m := middle(r)
	l := leaf(m)
	direct := leaf(r)
	alone := leaf(nil)
	spoilt := leaf(m, spoiled)
	old := leaf(m, expired)
	sameKeyOtherName := leaf(m, cn("another"))
	sameNameOtherKey := leaf(m, with(newKey("p256", 8)))
	renewed := leaf(other) // the same subject and key from another CA
	shouting := leaf(m, cn("LEAF"))
	printable := leaf(m, subject(name(attribute{oidCommonName, text{19, "leaf"}})))
	selfListed := leaf(nil, cn("leaf"))
	held := middle(r, permit(dns("other")))
	beyond := leaf(held)
	oldMiddle := middle(r, expired)
	noCA := middle(r, notCA)
	wrongUse := leaf(m, extUsage(codeSign))
	wrongKeyUse := leaf(m, keyUsage(keyCertSign))
	critical := leaf(m, add(oidUnknown, true, null))
	earlyLeaf := leaf(m, early)
	oldAlone := leaf(nil, expired)
	spoiltAlone := leaf(nil, spoiled)
	unlike := leaf(r, set(oidAuthorityKeyID, false, sequence(implicit(0, []byte("else")))))
	backwards := leaf(m, valid(utc(days(2)), utc(days(1))))
	mSpoilt := middle(r, spoiled)
	underSpoilt := leaf(mSpoilt)
	twinRoot := root(with(newKey("p256", 3)))

	type setting struct {
		name          string
		trusted, sent []*cert
	}
	settings := []setting{
		{"good chain, not listed", certs(r), certs(l, m)},
		{"good chain, listed", certs(r, l), certs(l, m)},
		{"good chain, leaf listed alone", certs(l), certs(l, m)},
		{"good chain, leaf listed alone, issuer not sent", certs(l), certs(l)},
		{"good chain, leaf and issuer listed", certs(l, m), certs(l)},
		{"good chain, issuer listed", certs(m), certs(l)},
		{"issuer not sent", certs(r), certs(l)},
		{"issuer not sent, leaf listed", certs(r, l), certs(l)},
		{"directly below the root", certs(r), certs(direct)},
		{"directly below the root, listed", certs(direct, r), certs(direct)},
		{"unknown CA", certs(other), certs(l, m)},
		{"unknown CA, sent", certs(other), certs(l, m, r)},
		{"unknown CA, leaf listed, root sent", certs(other, l), certs(l, m, r)},
		{"self-signed, listed", certs(alone), certs(alone)},
		{"self-signed, not listed", certs(r), certs(alone)},
		{"self-signed, expired, listed", certs(oldAlone), certs(oldAlone)},
		{"self-signed, spoilt, listed", certs(spoiltAlone), certs(spoiltAlone)},
		{"spoilt, listed alone", certs(spoilt), certs(spoilt)},
		{"spoilt, listed, issuer sent", certs(spoilt), certs(spoilt, m)},
		{"spoilt, listed, issuer listed", certs(spoilt, m), certs(spoilt)},
		{"spoilt, listed, chain listed", certs(spoilt, m, r), certs(spoilt)},
		{"expired, listed", certs(r, old), certs(old, m)},
		{"expired, listed alone", certs(old), certs(old)},
		{"expired copy of a valid peer", certs(old), certs(l)},
		{"expired copy of a valid peer, root too", certs(old, r), certs(l, m)},
		{"valid copy of an expired peer", certs(l), certs(old)},
		{"not yet valid, listed alone", certs(earlyLeaf), certs(earlyLeaf)},
		{"end before beginning, listed alone", certs(backwards), certs(backwards)},
		{"same key, other subject listed", certs(r, sameKeyOtherName), certs(l, m)},
		{"same subject, other key listed", certs(r, sameNameOtherKey), certs(l, m)},
		{"same subject, other key listed alone", certs(sameNameOtherKey), certs(l)},
		{"same subject, other key and right key listed", certs(sameNameOtherKey, l), certs(l)},
		{"same subject and key of another CA listed", certs(renewed), certs(l)},
		{"same subject and key of another CA listed, root too", certs(renewed, r), certs(l, m)},
		{"subject in another case listed", certs(shouting), certs(l)},
		{"subject in PrintableString listed", certs(printable), certs(l)},
		{"self-signed of the same subject and key listed", certs(selfListed), certs(l)},
		{"self-signed of the same subject and key sent, leaf listed", certs(l), certs(selfListed)},
		{"wrong usage, listed alone", certs(wrongUse), certs(wrongUse)},
		{"wrong key usage, listed alone", certs(wrongKeyUse), certs(wrongKeyUse)},
		{"unknown critical extension, listed alone", certs(critical), certs(critical)},
		{"constraint of a sent issuer violated, listed", certs(beyond), certs(beyond, held)},
		{"constraint of an issuer not sent violated, listed", certs(beyond), certs(beyond)},
		{"sent issuer expired, listed", certs(l), certs(l, oldMiddle)},
		{"sent issuer is no CA, listed", certs(leaf(noCA)), certs(leaf(noCA), noCA)},
		{"sent issuer is spoilt, listed", certs(underSpoilt), certs(underSpoilt, mSpoilt)},
		{"sent issuer is spoilt, listed, root too", certs(underSpoilt, r), certs(underSpoilt, mSpoilt)},
		{"issuer of another key id listed, leaf too", certs(unlike, r), certs(unlike)},
		{"twin of the issuer listed, leaf too", certs(direct, twinRoot), certs(direct)},
		{"twin of the issuer sent, leaf listed", certs(direct), certs(direct, twinRoot)},
		{"root listed and sent as the peer", certs(r), certs(r)},
		{"listed peer sends itself twice", certs(l), certs(l, l)},
	}
	var all []*trial
	for _, level := range []string{"verify = 0", "verify = 1", "verify = 2", "verify = 3", "verify = 4", "verifyPeer = yes",
		"verifyChain = yes\nverifyPeer = yes", "requireCert = yes"} {
		words := map[string]string{"verifyChain = yes\nverifyPeer = yes": "verifyChain and verifyPeer"}[level]
		if words == "" {
			words = level
		}
		for _, s := range settings {
			all = append(all, &trial{name: words + ", " + s.name, trusted: s.trusted, sent: s.sent, level: level})
		}
		all = append(all, &trial{name: words + ", no certificate", trusted: certs(r), level: level, only: ofClient})
	}
	broken := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sequence([]byte{2, 1, 1})}))
	return append(all,
		&trial{name: "verifyChain = yes, no certificate", trusted: certs(r), only: ofClient},
		// where nothing stands before the broken one, stunnel does not start
		&trial{name: "CAfile, unreadable certificate behind the root", extra: certificates(certs(r)) + broken, trusted: certs(other), sent: certs(direct)},
		&trial{name: "CAfile, unreadable certificate before the root", extra: certificates(certs(other)) + broken, trusted: certs(r), sent: certs(direct)})
}
