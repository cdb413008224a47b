package matrix

import "encoding/asn1"

// constraintTrials hold an intermediate to names, or exclude some (RFC 5280, section
// 4.2.1.10).
func constraintTrials() []*trial {
	person := func(cn, mail string) []byte {
		as := []attribute{{oidCountry, text{asn1.TagPrintableString, "PL"}}, {oidOrg, utf8("Acme")}, {oidCommonName, utf8(cn)}}
		if mail != "" {
			as = append(as, attribute{oidEmail, text{asn1.TagIA5String, mail}})
		}
		return name(as...)
	}
	acme := name(attribute{oidCountry, text{asn1.TagPrintableString, "PL"}}, attribute{oidOrg, utf8("Acme")})
	other := name(attribute{oidCountry, text{asn1.TagPrintableString, "PL"}}, attribute{oidOrg, utf8("Other")})
	loud := name(attribute{oidCountry, text{asn1.TagPrintableString, "PL"}}, attribute{oidOrg, text{asn1.TagPrintableString, "ACME"}})
	otherName := explicit(0, marshal(asn1.ObjectIdentifier{1, 2, 3}), explicit(0, []byte{12, 1, 'x'}))
	registered := implicit(8, []byte{42, 3, 4})
	garbled := set(oidNameConstraints, true, []byte{1, 2, 3})
	minimum := set(oidNameConstraints, true, sequence(explicit(0, sequence(dns("example"), implicit(0, []byte{1})))))
	maximum := set(oidNameConstraints, true, sequence(explicit(0, sequence(dns("example"), implicit(1, []byte{1})))))
	empty := set(oidNameConstraints, true, sequence())
	gentle := func(e edit) edit { // not critical
		return func(c *cert) {
			e(c)
			c.exts[len(c.exts)-1].Critical = false
		}
	}
	leaves := []struct {
		name  string
		edits []edit
	}{
		{"host", nil},
		{"host in capitals", []edit{sans(dns("LEAF.Example"))}},
		{"two hosts", []edit{sans(dns("leaf.example"), dns("leaf.other"))}},
		{"wildcard", []edit{sans(dns("*.example"))}},
		{"wildcard below", []edit{sans(dns("*.leaf.example"))}},
		{"host with a dot behind", []edit{sans(dns("leaf.example."))}},
		{"longer host", []edit{sans(dns("leafexample"))}},
		{"empty host", []edit{sans(dns(""))}},
		{"CN a permitted host", []edit{noSANs, cn("cn.example")}},
		{"CN another host", []edit{noSANs, cn("cn.other")}},
		{"CN another host beside an address", []edit{sans(address("10.1.2.3")), cn("cn.other")}},
		{"CN another host beside a host", []edit{cn("cn.other")}},
		{"CN another host beside an e-mail", []edit{sans(email("a@example")), cn("cn.other")}},
		{"CN no host", []edit{noSANs, cn("Some Body")}},
		{"CN a wildcard", []edit{noSANs, cn("*.other")}},
		{"CN with a dot behind", []edit{noSANs, cn("cn.other.")}},
		{"CN with underscores", []edit{noSANs, cn("c_n.other")}},
		{"CN one label", []edit{noSANs, cn("localhost")}},
		{"CN an address", []edit{noSANs, cn("10.1.2.3")}},
		{"CN with a NUL", []edit{noSANs, cn("cn.other\x00.example")}},
		{"CN as BMPString", []edit{noSANs, subject(name(attribute{oidCommonName, text{asn1.TagBMPString, "\x00c\x00n\x00.\x00o\x00t\x00h\x00e\x00r"}}))}},
		{"CN as T61String", []edit{noSANs, subject(name(attribute{oidCommonName, text{asn1.TagT61String, "cn.other"}}))}},
		{"address inside", []edit{sans(address("10.1.2.3"))}},
		{"address outside", []edit{sans(address("192.0.2.1"))}},
		{"address of version 6", []edit{sans(address("2001:db8::1"))}},
		{"e-mail", []edit{sans(email("a@example"))}},
		{"e-mail in a subdomain", []edit{sans(email("a@mail.example"))}},
		{"e-mail elsewhere", []edit{sans(email("a@other"))}},
		{"e-mail, capitals", []edit{sans(email("A@EXAMPLE"))}},
		{"e-mail without a host", []edit{sans(email("nobody"))}},
		{"e-mail quoted", []edit{sans(email(`"a@b"@example`))}},
		{"subject of Acme", []edit{subject(person("x", ""))}},
		{"subject of Acme with e-mail", []edit{subject(person("x", "a@other")), noSANs}},
		{"subject e-mail inside", []edit{subject(person("x", "a@example")), noSANs}},
		{"directory name", []edit{sans(directory(person("x", "")))}},
		{"URI", []edit{sans(uri("https://leaf.example/x"))}},
		{"URI elsewhere", []edit{sans(uri("https://leaf.other/x"))}},
		{"URI of an address", []edit{sans(uri("https://10.1.2.3/x"))}},
		{"URI without a host", []edit{sans(uri("urn:x:y"))}},
		{"registered ID", []edit{sans(registered)}},
		{"other name", []edit{sans(otherName)}},
		{"empty subject", []edit{subject(name())}},
	}
	constraints := []struct {
		name  string
		edit  edit
		small bool // tried with a few leaves
	}{
		{"permitted DNS example", permit(dns("example")), false},
		{"permitted DNS .example", permit(dns(".example")), false},
		{"permitted DNS, empty", permit(dns("")), true},
		{"excluded DNS example", exclude(dns("example")), false},
		{"excluded DNS, empty", exclude(dns("")), false},
		{"excluded DNS leaf.example", exclude(dns("leaf.example")), false},
		{"permitted and excluded DNS", within([][]byte{dns("example")}, [][]byte{dns("leaf.example")}), true},
		{"permitted DNS in capitals", permit(dns("EXAMPLE")), true},
		{"permitted DNS with a dot behind", permit(dns("example.")), true},
		{"permitted DNS with a wildcard", permit(dns("*.example")), true},
		{"permitted address 10/8", permit(subnet("10.0.0.0", "255.0.0.0")), false},
		{"excluded address 10/8", exclude(subnet("10.0.0.0", "255.0.0.0")), false},
		{"excluded all addresses of version 4", exclude(subnet("0.0.0.0", "0.0.0.0")), true},
		{"permitted address, mask with holes", permit(subnet("10.0.0.3", "255.0.0.255")), true},
		{"permitted address of version 6", permit(subnet("2001:db8::", "ffff:ffff::")), true},
		{"permitted address of 5 octets", permit(implicit(7, []byte{10, 0, 0, 0, 255})), true},
		{"permitted e-mail host", permit(email("example")), false},
		{"permitted e-mail domain", permit(email(".example")), false},
		{"permitted e-mail mailbox", permit(email("a@example")), false},
		{"excluded e-mail host", exclude(email("other")), false},
		{"permitted directory", permit(directory(acme)), false},
		{"permitted directory in capitals", permit(directory(loud)), true},
		{"permitted other directory", permit(directory(other)), false},
		{"excluded directory", exclude(directory(acme)), false},
		{"excluded directory, empty", exclude(directory(name())), true},
		{"permitted URI .example", permit(uri(".example")), false},
		{"excluded URI", exclude(uri("leaf.example")), true},
		{"permitted registered ID", permit(registered), false},
		{"excluded other name", exclude(otherName), true},
		{"not critical", gentle(permit(dns("example"))), true},
		{"garbage", garbled, true},
		{"with a minimum", minimum, true},
		{"with a maximum", maximum, true},
		{"empty", empty, true},
	}
	few := map[string]bool{"host": true, "two hosts": true, "CN another host": true, "address inside": true, "address outside": true,
		"wildcard": true, "address of version 6": true, "subject of Acme": true, "other name": true, "URI": true}
	r := root()
	var all []*trial
	for _, c := range constraints {
		m := middle(r, c.edit)
		for _, l := range leaves {
			if c.small && !few[l.name] {
				continue
			}
			all = append(all, &trial{name: "name constraint, " + c.name + ": " + l.name, trusted: certs(r),
				sent: certs(leaf(m, l.edits...), m), only: ofServer})
		}
	}
	return append(all, constraintPlaces()...)
}

// constraintPlaces have constraints elsewhere than in the issuer, and CAs under them.
func constraintPlaces() []*trial {
	held := permit(dns("example"))
	acme := permit(directory(name(attribute{oidOrg, utf8("Acme")})))
	inAcme := func(s string) edit {
		return subject(name(attribute{oidOrg, utf8("Acme")}, attribute{oidCommonName, utf8(s)}))
	}
	outside := sans(dns("leaf.other"))
	var all []*trial
	add := func(name string, at map[int][]edit) {
		t := &trial{name: "name constraint, " + name}
		t.trusted, t.sent = chain(at)
		all = append(all, t)
	}
	add("in the root", map[int][]edit{3: {held}})
	add("in the root, violated", map[int][]edit{3: {held}, 0: {outside}})
	add("in the upper CA, violated", map[int][]edit{2: {held}, 0: {outside}})
	add("in two CAs, one violated", map[int][]edit{2: {permit(dns("other"))}, 1: {permit(dns("leaf.other"))}, 0: {sans(dns("x.other"))}})
	add("in two CAs, apart", map[int][]edit{2: {permit(dns("other"))}, 1: {held}})
	add("in the leaf", map[int][]edit{0: {held}})
	add("in the leaf, violated by itself", map[int][]edit{0: {held, outside}})
	add("directory, the issuer is outside", map[int][]edit{3: {acme}, 2: {inAcme("Upper")}, 0: {inAcme("leaf")}})
	add("directory, all inside", map[int][]edit{3: {acme}, 2: {inAcme("Upper")}, 1: {inAcme("Issuer")}, 0: {inAcme("leaf")}})
	add("violated by a CA's alternative name", map[int][]edit{2: {held}, 1: {sans(dns("ca.other"))}})
	add("violated by a CA's common name", map[int][]edit{2: {held}, 1: {cn("ca.other")}})
	add("garbage in the root", map[int][]edit{3: {set(oidNameConstraints, true, []byte{1})}})
	add("garbage in the leaf", map[int][]edit{0: {set(oidNameConstraints, true, []byte{1})}})
	r := root()
	m := middle(r, acme)
	self := authority("Middle", 12, m, nil)
	all = append(all, &trial{name: "name constraint, self-issued CA is exempt", trusted: certs(r), sent: certs(leaf(self, inAcme("leaf")), self, m)})
	return all
}
