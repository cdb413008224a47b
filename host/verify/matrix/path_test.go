package matrix

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"
)

// line makes n CAs, each under the one before.
func line(top *cert, n int) []*cert {
	var all []*cert
	for i := range n {
		top = authority(fmt.Sprintf("CA %d", i), 10+i%2, top, nil)
		all = append(all, top)
	}
	return all
}

// up is what a peer sends: its own certificate and CAs, the nearest first.
func up(own *cert, cas ...*cert) []*cert {
	slices.Reverse(cas)
	return append([]*cert{own}, cas...)
}

// pathTrials are about how a path to an anchor is found.
func pathTrials() []*trial {
	r, other := root(), root(cn("Stranger"), with(newKey("p256", 3)))
	m := middle(r)
	good, direct := leaf(m), leaf(r)
	strange := leaf(other)
	alone := func(edits ...edit) *cert { return leaf(nil, edits...) }
	all := []*trial{
		{name: "unknown CA", trusted: certs(r), sent: certs(strange)},
		{name: "unknown CA, its root sent", trusted: certs(r), sent: certs(strange, other)},
		{name: "one of two roots", trusted: certs(other, r), sent: certs(direct)},
		{name: "root sent along", trusted: certs(r), sent: certs(good, m, r)},
		{name: "intermediate missing", trusted: certs(r), sent: certs(good)},
		{name: "intermediate in CAfile", trusted: certs(r, m), sent: certs(good)},
		{name: "intermediate in CAfile and sent", trusted: certs(m, r), sent: certs(good, m)},
		{name: "intermediate in CAfile without its root", trusted: certs(m), sent: certs(good)},
		{name: "intermediate in CAfile without its root, root sent", trusted: certs(m), sent: certs(good, m, r)},
		{name: "intermediate sent twice", trusted: certs(r), sent: certs(good, m, m)},
		{name: "leaf sent twice", trusted: certs(r), sent: certs(good, good, m)},
		{name: "out of order", trusted: certs(r), sent: certs(good, r, m)},
		{name: "stranger sent between", trusted: certs(r), sent: certs(good, other, m)},
		{name: "another leaf sent between", trusted: certs(r), sent: certs(good, strange, m)},
		{name: "leaf listed, no root", trusted: certs(direct), sent: certs(direct)},
		{name: "leaf listed, root too", trusted: certs(direct, r), sent: certs(direct)},
		{name: "leaf and intermediate listed, no root", trusted: certs(good, m), sent: certs(good, m)},
		{name: "self-signed leaf unlisted", trusted: certs(r), sent: certs(alone())},
		{name: "root itself as the peer", trusted: certs(r), sent: certs(r)},
		{name: "intermediate itself as the peer", trusted: certs(r), sent: certs(m)},
		{name: "leaf that issues", trusted: certs(r), sent: certs(leaf(good, cn("below")), good, m)},
		{name: "leaf of a trusted leaf", trusted: certs(alone()), sent: certs(leaf(alone(), cn("below")))},
		{name: "wrong key under the right name", trusted: certs(r), sent: certs(leaf(root(with(newKey("p256", 3)))))},
		{name: "wrong key under the right name, no key ids", trusted: certs(r), sent: certs(leaf(root(with(newKey("p256", 3))), noIDs))},
		{name: "leaf of the root's own name", trusted: certs(r), sent: certs(leaf(r, cn("Root")))},
		{name: "leaf of the root's own name, no key ids", trusted: certs(root(noIDs)), sent: certs(leaf(root(noIDs), cn("Root"), noIDs))},
		{name: "leaf of its issuer's own name", trusted: certs(r), sent: certs(leaf(m, cn("Middle")), m)},
	}
	for _, f := range []flaw{
		{name: "plain"},
		{name: "signature spoilt", edits: []edit{spoiled}},
		{name: "CA:TRUE", edits: []edit{set(oidBasicConstraints, true, sequence(marshal(true)))}},
		{name: "CA:FALSE", edits: []edit{notCA}},
		{name: "version 1", edits: []edit{bare(1)}},
		{name: "version 3 without extensions", edits: []edit{bare(3)}},
		{name: "expired", edits: []edit{expired}},
		{name: "not yet valid", edits: []edit{early}},
		{name: "no key ids", edits: []edit{noIDs}},
		{name: "EKU codeSigning", edits: []edit{extUsage(codeSign)}},
		{name: "unknown critical extension", edits: []edit{add(oidUnknown, true, null)}},
		{name: "authority's key identifier of another", edits: []edit{add(oidAuthorityKeyID, false, sequence(implicit(0, []byte("else"))))}},
		{name: "path length", edits: []edit{pathLength(0)}},
		{name: "constraint that excludes it", edits: []edit{exclude(dns("example"))}},
	} {
		c := alone(f.edits...)
		all = append(all, &trial{name: "self-signed leaf listed, " + f.name, trusted: certs(c, other), sent: certs(c)})
	}
	for _, n := range []int{12, 30, 98, 99, 100, 101} {
		cas := line(r, n)
		all = append(all, &trial{name: fmt.Sprintf("%d intermediates", n), trusted: certs(r), sent: up(leaf(cas[n-1]), cas...)})
	}
	return slices.Concat(all, lengthTrials(), twinTrials(), nameFormTrials(), settingsTrials())
}

func certs(cs ...*cert) []*cert { return cs }

// lengthTrials are about path lengths (RFC 5280, section 4.2.1.9).
func lengthTrials() []*trial {
	var all []*trial
	for limit := range 3 {
		for below := range 4 {
			r := root(pathLength(limit))
			cas := line(r, below)
			sent := certs(leaf(r))
			if below > 0 {
				sent = up(leaf(cas[below-1]), cas...)
			}
			all = append(all, &trial{name: fmt.Sprintf("path length %d in the root, %d intermediates", limit, below), trusted: certs(r), sent: sent})
		}
	}
	r := root()
	short := middle(r, pathLength(0))
	self := authority("Middle", 12, short, nil) // self-issued, a change of keys
	under := authority("Under", 13, short, nil)
	other := authority("Under", 13, self, nil)
	caLeaf := leaf(short, set(oidBasicConstraints, true, sequence(marshal(true))))
	negative := middle(r, set(oidBasicConstraints, true, sequence(marshal(true), marshal(-1))))
	huge := middle(r, set(oidBasicConstraints, true, sequence(marshal(true), element(asn1.TagInteger, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0}))))
	return append(all,
		&trial{name: "path length 0 in an intermediate", trusted: certs(r), sent: certs(leaf(short), short)},
		&trial{name: "path length 0 in an intermediate, another below", trusted: certs(r), sent: certs(leaf(under), under, short)},
		&trial{name: "path length 0 and a self-issued CA below", trusted: certs(r), sent: certs(leaf(self), self, short)},
		&trial{name: "path length 0, a self-issued CA and another below", trusted: certs(r), sent: certs(leaf(other), other, self, short)},
		&trial{name: "path length 0 and a leaf that is a CA", trusted: certs(r), sent: certs(caLeaf, short)},
		&trial{name: "path length negative", trusted: certs(r), sent: certs(leaf(negative), negative)},
		&trial{name: "path length beyond 64 bits", trusted: certs(r), sent: certs(leaf(huge), huge)},
		&trial{name: "path length without keyCertSign", trusted: certs(r), sent: func() []*cert {
			m := middle(r, pathLength(0), keyUsage(cRLSign))
			return certs(leaf(m), m)
		}()},
		&trial{name: "path length without key usage", trusted: certs(r), sent: func() []*cert {
			m := middle(r, pathLength(0), drop(oidKeyUsage))
			return certs(leaf(m), m)
		}()},
	)
}

// twinTrials have CAs of one name: siblings, renewed and cross-signed ones. OpenSSL
// follows one path and never goes back.
func twinTrials() []*trial {
	var all []*trial
	third := newKey("p256", 3)
	for _, ids := range []string{"with key ids", "without key ids"} {
		var e []edit
		if ids == "without key ids" {
			e = []edit{noIDs}
		}
		mk := func(f func(...edit) *cert, more ...edit) *cert { return f(append(slices.Clone(more), e...)...) }
		under := func(by *cert) func(...edit) *cert {
			return func(es ...edit) *cert { return middle(by, es...) }
		}
		below := func(by *cert) *cert { return leaf(by, e...) }
		r, twin := mk(root), mk(root, with(third))
		m, mTwin := mk(under(r)), mk(under(r), with(third))
		mOld := mk(under(r), expired)
		rOld := mk(root, expired)
		rEarly := mk(root, early)
		b := root(cn("Other Root"), with(newKey("p256", 6)))
		cross := authority("Root", 0, b, e) // Root's key, certified by another root
		crossOld := authority("Root", 0, b, append(slices.Clone(e), expired))
		add := func(name string, trusted, sent []*cert) {
			all = append(all, &trial{name: name + ", " + ids, trusted: trusted, sent: sent})
		}
		add("twin roots, right one first", certs(r, twin), certs(below(r)))
		add("twin roots, right one last", certs(twin, r), certs(below(r)))
		add("twin root alone", certs(twin), certs(below(r)))
		add("twin intermediates sent, right one first", certs(r), certs(below(m), m, mTwin))
		add("twin intermediates sent, right one last", certs(r), certs(below(m), mTwin, m))
		add("twin intermediate sent alone", certs(r), certs(below(m), mTwin))
		add("twin intermediate listed, right one sent", certs(r, mTwin), certs(below(m), m))
		add("right intermediate listed, twin sent", certs(r, m), certs(below(m), mTwin))
		add("intermediate renewed, old one sent first", certs(r), certs(below(m), mOld, m))
		add("intermediate renewed, old one sent last", certs(r), certs(below(m), m, mOld))
		add("intermediate renewed, old one listed", certs(r, mOld), certs(below(m), m))
		add("intermediate renewed, new one listed, old one sent", certs(r, m), certs(below(m), mOld))
		add("root renewed, old one first", certs(rOld, r), certs(below(r)))
		add("root renewed, old one last", certs(r, rOld), certs(below(r)))
		add("root renewed, old one sent", certs(r), certs(below(m), m, rOld))
		add("root renewed, only the old one listed, new one sent", certs(rOld), certs(below(m), m, r))
		add("root renewed, next one first", certs(rEarly, r), certs(below(r)))
		add("cross-certificate, other root listed", certs(b), certs(below(m), m, cross))
		add("cross-certificate, both roots listed", certs(r, b), certs(below(m), m, cross))
		add("cross-certificate, own root listed", certs(r), certs(below(m), m, cross))
		add("cross-certificate, own root expired and listed", certs(rOld, b), certs(below(m), m, cross))
		add("cross-certificate, own root renewed", certs(rOld, r), certs(below(m), m, cross))
		add("cross-certificate expired, both roots listed", certs(r, b), certs(below(m), m, crossOld))
		add("cross-certificate expired, other root listed", certs(b), certs(below(m), m, crossOld))
		add("cross-certificate listed, own root sent", certs(b, cross), certs(below(m), m, r))
		add("self-signed twin sent before the cross-signed one", certs(b), certs(below(m), m, r, cross))
		add("self-signed twin sent behind the cross-signed one", certs(b), certs(below(m), m, cross, r))
		add("CA that certifies itself anew", certs(r), certs(below(m), m, authority("Root", 7, r, e)))
	}
	// two CAs that certify each other, with no root above
	a := authority("A", 6, root(cn("B"), with(newKey("p256", 7))), nil)
	b := authority("B", 7, a, nil)
	return append(all,
		&trial{name: "circle of CAs sent", trusted: certs(root()), sent: certs(leaf(a), a, b)},
		&trial{name: "circle of CAs listed", trusted: certs(a, b), sent: certs(leaf(a))})
}

// nameFormTrials write the issuer's name in another way than its certificate has it.
func nameFormTrials() []*trial {
	printable := func(s string) text { return text{asn1.TagPrintableString, s} }
	org := func(v text) []byte { return name(attribute{oidOrg, utf8("Acme")}, attribute{oidCommonName, v}) }
	multi := func(order ...attribute) []byte {
		var avas [][]byte
		for _, a := range order {
			avas = append(avas, sequence(marshal(a.oid), element(a.value.tag, []byte(a.value.bytes))))
		}
		return sequence(marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: join(avas)}))
	}
	o, c := attribute{oidOrg, utf8("Acme")}, attribute{oidCommonName, utf8("Name Root")}
	var all []*trial
	for _, f := range []struct {
		name       string
		real, used []byte
	}{
		{"another case", org(utf8("Name Root")), org(utf8("NAME root"))},
		{"double blanks", org(utf8("Name Root")), org(utf8("Name   Root"))},
		{"blanks around", org(utf8("Name Root")), org(utf8(" Name Root "))},
		{"PrintableString for UTF8String", org(utf8("Name Root")), org(printable("Name Root"))},
		{"T61String for UTF8String", org(utf8("Name Root")), org(text{asn1.TagT61String, "Name Root"})},
		{"T61String both", org(text{asn1.TagT61String, "N\xe4me"}), org(text{asn1.TagT61String, "N\xe4me"})},
		{"T61String, Latin-1 for UTF-8", org(utf8("N\u00e4me")), org(text{asn1.TagT61String, "N\xe4me"})},
		{"BMPString for UTF8String", org(utf8("Root")), org(text{asn1.TagBMPString, "\x00R\x00o\x00o\x00t"})},
		{"BMPString both", org(text{asn1.TagBMPString, "\x00R\x01\x42"}), org(text{asn1.TagBMPString, "\x00R\x01\x42"})},
		{"UniversalString for UTF8String", org(utf8("Root")), org(text{28, "\x00\x00\x00R\x00\x00\x00o\x00\x00\x00o\x00\x00\x00t"})},
		{"IA5String for UTF8String", org(utf8("Root")), org(text{asn1.TagIA5String, "Root"})},
		{"case beyond ASCII", org(utf8("\u017b\u00d3\u0141W")), org(utf8("\u017c\u00f3\u0142w"))},
		{"attributes in another order", name(o, c), name(c, o)},
		{"one RDN for two", name(o, c), multi(o, c)},
		{"one RDN, order of its attributes", multi(o, c), multi(c, o)},
		{"one attribute less", name(o, c), name(c)},
		{"another attribute's type", name(o, c), name(o, attribute{oidUnit, utf8("Name Root")})},
		{"empty", name(), name()},
		{"empty value", org(utf8("")), org(utf8(""))},
	} {
		for _, ids := range []bool{true, false} {
			title := "issuer's name, " + f.name
			var e []edit
			if !ids {
				title += ", no key ids"
				e = append(e, noIDs)
			}
			r := root(append(slices.Clone(e), subject(f.real))...)
			l := leaf(r, append(e, func(c *cert) { c.issuer = f.used })...)
			all = append(all, &trial{name: title, trusted: certs(r, root(cn("Stranger"), with(newKey("p256", 3)))), sent: certs(l)})
		}
	}
	// stunnel does not start with such a root
	r := root()
	m := middle(r, subject(org(utf8("N\xe4me"))))
	all = append(all, &trial{name: "issuer's name, bad UTF-8", trusted: certs(r), sent: certs(leaf(m), m)})
	return all
}

// settingsTrials have OpenSSL's own trust settings behind certificates of CAfile.
func settingsTrials() []*trial {
	r, other := root(), root(cn("Stranger"), with(newKey("p256", 3)))
	m := middle(r)
	settings := func(c *cert, trusted, rejected []asn1.ObjectIdentifier) string {
		var parts [][]byte
		if trusted != nil {
			parts = append(parts, oids(trusted...))
		}
		if rejected != nil {
			var ids [][]byte
			for _, o := range rejected {
				ids = append(ids, marshal(o))
			}
			parts = append(parts, explicit(0, ids...))
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: append(slices.Clone(c.der), sequence(parts...)...)}))
	}
	both := []asn1.ObjectIdentifier{serverAuth, clientAuth}
	code := []asn1.ObjectIdentifier{codeSign}
	var all []*trial
	for _, s := range []struct {
		name string
		text string
	}{
		{"root trusted for both", settings(r, both, nil)},
		{"root trusted for code signing", settings(r, code, nil)},
		{"root trusted for anything", settings(r, []asn1.ObjectIdentifier{anyUsage}, nil)},
		{"root rejected for both", settings(r, nil, both)},
		{"root rejected for anything", settings(r, nil, []asn1.ObjectIdentifier{anyUsage})},
		{"root without a word", settings(r, nil, nil)},
		{"intermediate trusted for both", settings(m, both, nil)},
		{"intermediate rejected for both, root plain", settings(m, nil, both) + certificates(certs(r))},
		{"old kind of header", string(pem.EncodeToMemory(&pem.Block{Type: "X509 CERTIFICATE", Bytes: r.der}))},
	} {
		all = append(all, &trial{name: "trust settings, " + s.name, extra: s.text, trusted: certs(other), sent: certs(leaf(m), m)})
	}
	return all
}
