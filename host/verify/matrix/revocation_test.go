package matrix

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// revocationTrials are about CRLs. Stunnel looks at the peer's own certificate alone.
func revocationTrials() []*trial {
	r, other := root(), root(cn("Stranger"), with(newKey("p256", 3)))
	m := middle(r)
	l, sibling, direct := leaf(m), leaf(m), leaf(r)
	sent := certs(l, m)
	alone := leaf(nil)
	noSign := root(keyUsage(keyCertSign))
	noUsage := root(drop(oidKeyUsage))
	noSignMiddle := middle(r, keyUsage(keyCertSign))
	twin := root(with(newKey("p256", 3)))
	delegate := authority("Signer", 6, r, []edit{keyUsage(cRLSign)})
	rsa := root(with(newKey("rsa2048", 0)))
	rOld := root(expired)
	bareRoot := root(bare(1))
	future := listed(utc(hours(1)), utc(days(1)))
	stale := listed(utc(days(-3)), utc(hours(-1)))
	good := revocations(m)
	certIssuer := func(c *cert) pkix.Extension {
		return extension(oidCertIssue, true, sequence(directory(c.subject)))
	}
	here := explicit(0, explicit(0, uri("http://crl.example/x.crl")))
	there := explicit(0, explicit(0, uri("http://crl.example/y.crl")))
	withPoint := leaf(m, add(oidPoints, false, sequence(sequence(here))))
	withIssuer := leaf(m, add(oidPoints, false, sequence(sequence(here, explicit(2, directory(common("Signer")))))))
	withReasons := leaf(m, add(oidPoints, false, sequence(sequence(here, implicit(1, []byte{6, 0x40})))))
	one := func(name string, ls ...[]byte) *trial {
		return &trial{name: "CRL, " + name, trusted: certs(r), sent: sent, lists: ls}
	}
	all := []*trial{
		one("good", good),
		one("revoked", revocations(m, revoke(l))),
		one("another revoked", revocations(m, revoke(sibling))),
		one("revoked among others", revocations(m, revoke(sibling), revoke(l), revoke(direct))),
		one("revoked in the future", revocations(m, revokeAt(l, hours(5)))),
		one("of another issuer alone", revocations(r)),
		one("of both CAs", good, revocations(r)),
		one("intermediate revoked", good, revocations(r, revoke(m))),
		one("expired", revocations(m, stale)),
		one("not yet valid", revocations(m, future)),
		one("without nextUpdate", revocations(m, listed(utc(hours(-1)), nil))),
		one("GeneralizedTime", revocations(m, listed(general(hours(-1)), general(days(1))))),
		one("time with another zone", revocations(m, listed(utc(hours(-1)), warsaw))),
		one("GeneralizedTime with another zone", revocations(m, listed(utc(hours(-1)), generalWarsaw))),
		one("time without seconds", revocations(m, listed(utc(hours(-1)), minutes))),
		one("beginning without seconds", revocations(m, listed(element(asn1.TagUTCTime, []byte(days(-1).Format("0601021504")+"Z")), utc(days(1))))),
		one("of version 1, time without seconds", revocations(m, listVersion1, listed(utc(hours(-1)), minutes))),
		one("expired one that revokes, valid one that does not", revocations(m, stale, revoke(l)), good),
		one("expired one that does not, valid one that revokes", revocations(m, stale), revocations(m, revoke(l))),
		one("future one that revokes, valid one that does not", revocations(m, future, revoke(l)), good),
		one("older one revokes, newer does not", revocations(m, listed(utc(hours(-5)), utc(days(7))), revoke(l)), revocations(m, listed(utc(hours(-1)), utc(days(7))))),
		one("newer one revokes, older does not", revocations(m, listed(utc(hours(-5)), utc(days(7)))), revocations(m, listed(utc(hours(-1)), utc(days(7))), revoke(l))),
		one("older one revokes, newer does not, in the other order", revocations(m, listed(utc(hours(-1)), utc(days(7)))), revocations(m, listed(utc(hours(-5)), utc(days(7))), revoke(l))),
		one("newer one revokes, older does not, in the other order", revocations(m, listed(utc(hours(-1)), utc(days(7))), revoke(l)), revocations(m, listed(utc(hours(-5)), utc(days(7))))),
		one("of the same time, first revokes", revocations(m, revoke(l)), good),
		one("of the same time, second revokes", good, revocations(m, revoke(l))),
		one("higher number, older", revocations(m, listNumber(9), listed(utc(hours(-5)), utc(days(7))), revoke(l)), revocations(m, listNumber(2))),
		one("newer but spoilt, older revokes", revocations(m, listSpoiled), revocations(m, listed(utc(hours(-5)), utc(days(7))), revoke(l))),
		one("spoilt", revocations(m, listSpoiled)),
		one("by a stranger under the issuer's name", revocations(authority("Middle", 3, nil, nil))),
		one("by a stranger under the issuer's name, no key ids", revocations(authority("Middle", 3, nil, nil), listBare)),
		one("by a stranger under the issuer's name and key id", revocations(authority("Middle", 3, nil, nil), func(l *crl) {
			l.exts[0].Value = sequence(implicit(0, m.key.id))
		})),
		one("by the root under the issuer's name", revocations(r, listIssuer(m.subject))),
		one("key id of another", revocations(m, func(l *crl) { l.exts[0].Value = sequence(implicit(0, []byte("else"))) })),
		one("without extensions", revocations(m, listBare)),
		one("version 1", revocations(m, listVersion1)),
		one("version 1, revoked", revocations(m, listVersion1, revoke(l))),
		one("unknown extension", revocations(m, listExt(oidUnknown, false, null))),
		one("unknown critical extension", revocations(m, listExt(oidUnknown, true, null))),
		one("unknown critical extension of the entry", revocations(m, revoke(l, extension(oidUnknown, true, null)))),
		one("unknown critical extension of another's entry", revocations(m, revoke(sibling, extension(oidUnknown, true, null)))),
		one("delta alone", revocations(m, listExt(oidDelta, true, marshal(1)))),
		one("delta that revokes, beside a complete one", good, revocations(m, listNumber(2), listExt(oidDelta, true, marshal(1)), revoke(l))),
		one("delta that un-revokes, beside a complete one", revocations(m, revoke(l)), revocations(m, listNumber(2), listExt(oidDelta, true, marshal(1)), revoke(l, reason(8)))),
		one("indirect", revocations(m, point(4))),
		one("indirect, revoked", revocations(m, point(4), revoke(l))),
		one("indirect, entry of another issuer", revocations(m, point(4), revoke(l, certIssuer(other)))),
		one("entry of another issuer, not indirect", revocations(m, revoke(l, certIssuer(other)))),
		one("only of users", revocations(m, point(1))),
		one("only of users, revoked", revocations(m, point(1), revoke(l))),
		one("only of CAs", revocations(m, point(2))),
		one("only of CAs, beside a complete one", revocations(m, point(2), listed(utc(hours(0)), utc(days(7)))), good),
		one("only of attributes", revocations(m, point(5))),
		one("only of users and CAs", revocations(m, point(1, 2))),
		one("empty distribution point", revocations(m, point())),
		one("only for some reasons", revocations(m, listExt(oidIDP, true, sequence(implicit(3, []byte{6, 0x40}))))),
		one("distribution point not critical", revocations(m, listExt(oidIDP, false, sequence(implicit(2, []byte{0xff}))))),
		one("distribution point garbage", revocations(m, listExt(oidIDP, true, []byte{1, 2, 3}))),
		one("distribution point named, none in the leaf", revocations(m, listExt(oidIDP, true, sequence(here)))),
		one("number garbage", revocations(m, func(l *crl) { l.exts[1].Value = []byte{1, 2, 3} })),
		one("key id garbage", revocations(m, func(l *crl) { l.exts[0].Value = []byte{1, 2, 3} })),
		one("number critical", revocations(m, func(l *crl) { l.exts[1].Critical = true })),
		one("number absent", revocations(m, func(l *crl) { l.exts = l.exts[:1] })),
		one("unknown extension twice", revocations(m, listExt(oidUnknown, false, null), listExt(oidUnknown, false, null))),
		one("revoked twice, first removed", revocations(m, revoke(l, reason(8)), revoke(l, reason(1)))),
		one("in CAfile's order: stranger's first", revocations(other), good),
		{name: "CRL, leaf's distribution point is the list's", trusted: certs(r), sent: certs(withPoint, m), lists: [][]byte{revocations(m, listExt(oidIDP, true, sequence(here)))}},
		{name: "CRL, leaf's distribution point is another", trusted: certs(r), sent: certs(withPoint, m), lists: [][]byte{revocations(m, listExt(oidIDP, true, sequence(there)))}},
		{name: "CRL, leaf's distribution point is the list's, revoked", trusted: certs(r), sent: certs(withPoint, m), lists: [][]byte{revocations(m, listExt(oidIDP, true, sequence(here)), revoke(withPoint))}},
		{name: "CRL, leaf's distribution point, plain list", trusted: certs(r), sent: certs(withPoint, m), lists: [][]byte{good}},
		{name: "CRL, leaf's distribution point names a CRL issuer", trusted: certs(r, delegate), sent: certs(withIssuer, m), lists: [][]byte{revocations(delegate, point(4))}},
		{name: "CRL, leaf's distribution point names a CRL issuer, plain list", trusted: certs(r), sent: certs(withIssuer, m), lists: [][]byte{good}},
		{name: "CRL, leaf's distribution point for some reasons", trusted: certs(r), sent: certs(withReasons, m), lists: [][]byte{good}},
		{name: "CRL, leaf directly below the root", trusted: certs(r), sent: certs(direct), lists: [][]byte{revocations(r)}},
		{name: "CRL, leaf directly below the root, revoked", trusted: certs(r), sent: certs(direct), lists: [][]byte{revocations(r, revoke(direct))}},
		{name: "CRL, issuer without cRLSign", trusted: certs(noSign), sent: certs(leaf(noSign)), lists: [][]byte{revocations(noSign)}},
		{name: "CRL, intermediate without cRLSign", trusted: certs(r), sent: certs(leaf(noSignMiddle), noSignMiddle), lists: [][]byte{revocations(noSignMiddle)}},
		{name: "CRL, issuer without key usage", trusted: certs(noUsage), sent: certs(leaf(noUsage)), lists: [][]byte{revocations(noUsage)}},
		{name: "CRL, issuer of version 1", trusted: certs(bareRoot), sent: certs(leaf(bareRoot)), lists: [][]byte{revocations(bareRoot)}},
		{name: "CRL, listed self-signed leaf", trusted: certs(alone, r), sent: certs(alone), lists: [][]byte{revocations(r)}},
		{name: "CRL, listed self-signed leaf with its own list", trusted: certs(alone, r), sent: certs(alone), lists: [][]byte{revocations(alone)}},
		{name: "CRL, listed self-signed CA with its own list", trusted: certs(r), sent: certs(r), lists: [][]byte{revocations(r)}},
		{name: "CRL, twin's list", trusted: certs(r, twin), sent: certs(direct), lists: [][]byte{revocations(twin)}},
		{name: "CRL, twin's list beside the right one", trusted: certs(r, twin), sent: certs(direct), lists: [][]byte{revocations(twin), revocations(r)}},
		{name: "CRL, twin's list beside the right one that revokes", trusted: certs(r, twin), sent: certs(direct), lists: [][]byte{revocations(twin), revocations(r, revoke(direct))}},
		{name: "CRL, issuer expired", trusted: certs(rOld, r), sent: certs(leaf(rOld)), lists: [][]byte{revocations(rOld)}},
		{name: "CRL, bad chain and revoked", trusted: certs(other), sent: sent, lists: [][]byte{revocations(m, revoke(l))}},
		{name: "CRL, leaf expired and revoked", trusted: certs(r), sent: certs(leaf(m, expired), m), lists: [][]byte{good}},
		{name: "CRL, issuer's name in another case", trusted: certs(r), sent: sent, lists: [][]byte{revocations(m, listIssuer(common("MIDDLE")))}},
		{name: "CRL, issuer's name in another case, revoked", trusted: certs(r), sent: sent, lists: [][]byte{revocations(m, listIssuer(common("MIDDLE")), revoke(l))}},
		{name: "CRL at level 0", trusted: certs(r), sent: sent, lists: [][]byte{revocations(m, revoke(l))}, level: "verify = 0"},
		{name: "CRL at level 1", trusted: certs(r), sent: sent, lists: [][]byte{revocations(m, revoke(l))}, level: "verify = 1"},
		{name: "CRL at level 2", trusted: certs(r), sent: sent, lists: [][]byte{revocations(m, revoke(l))}, level: "verify = 2"},
		{name: "CRL missing at level 2", trusted: certs(r), sent: sent, lists: [][]byte{revocations(other)}, level: "verify = 2"},
		{name: "CRL at level 3, revoked", trusted: certs(r, l), sent: sent, lists: [][]byte{revocations(m, revoke(l))}, level: "verify = 3"},
		{name: "CRL at level 4, revoked", trusted: certs(l), sent: sent, lists: [][]byte{revocations(m, revoke(l))}, level: "verify = 4"},
		{name: "CRL at level 4, good, issuer sent", trusted: certs(l), sent: sent, lists: [][]byte{good}, level: "verify = 4"},
		{name: "CRL at level 4, good, issuer not sent", trusted: certs(l), sent: certs(l), lists: [][]byte{good}, level: "verify = 4"},
		{name: "CRL at level 4, good, issuer listed", trusted: certs(l, m), sent: certs(l), lists: [][]byte{good}, level: "verify = 4"},
		{name: "CRL at level 4, self-signed leaf", trusted: certs(alone), sent: certs(alone), lists: [][]byte{good}, level: "verify = 4"},
		{name: "CRL at level 4, missing, issuer and root listed", trusted: certs(l, m, r), sent: sent, lists: [][]byte{revocations(other)}, level: "verify = 4"},
		{name: "CRL and verifyPeer, expired list", trusted: certs(l, m, r), sent: sent, lists: [][]byte{revocations(m, stale)}, level: "verifyPeer = yes"},
	}
	for n := range 11 {
		if n != 7 { // reserved
			all = append(all, one(fmt.Sprintf("revoked for reason %d", n), revocations(m, revoke(l, reason(byte(n))))))
		}
	}
	for _, alg := range []string{"rsa-md5", "rsa-sha1", "rsa-sha512", "rsa-pss"} {
		under := leaf(rsa)
		all = append(all, &trial{name: "CRL signed with " + alg, trusted: certs(rsa), sent: certs(under), lists: [][]byte{revocations(rsa, listSigned(alg))}})
	}
	small := root(with(newKey("rsa1024", 0)))
	all = append(all, &trial{name: "CRL signed by a small key", trusted: certs(small), sent: certs(leaf(small)), lists: [][]byte{revocations(small)}, options: "securityLevel = 1\n"})
	for _, s := range []struct {
		name  string
		bytes []byte
	}{{"negative", []byte{0xff}}, {"zero", []byte{0}}, {"long", append([]byte{1}, make([]byte, 39)...)}} {
		c := leaf(m, serial(s.bytes...))
		all = append(all, &trial{name: "CRL, serial " + s.name + ", revoked", trusted: certs(r), sent: certs(c, m), lists: [][]byte{revocations(m, revoke(c))}},
			&trial{name: "CRL, serial " + s.name + ", another revoked", trusted: certs(r), sent: certs(c, m), lists: [][]byte{revocations(m, revoke(l))}})
	}
	return all
}
