package matrix

import (
	"encoding/asn1"
	"fmt"
	"strings"
)

// subjectTrials ask certificates for hosts, addresses and mailboxes.
func subjectTrials() []*trial {
	var all []*trial
	r := root()
	ask := func(option, asked, who string, edits ...edit) {
		all = append(all, &trial{name: fmt.Sprintf("%s %s: %s", option, asked, who), trusted: certs(r),
			sent: certs(leaf(r, edits...)), options: option + " = " + asked + "\n", only: ofServer})
	}
	bmp := func(s string) text {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.Write([]byte{0, c})
		}
		return text{asn1.TagBMPString, b.String()}
	}
	named := func(ts ...text) edit {
		var as []attribute
		for _, t := range ts {
			as = append(as, attribute{oidCommonName, t})
		}
		return subject(name(as...))
	}
	hosts := []string{"leaf.example", "LEAF.example", "leaf.example.", "a.leaf.example", "other.example", "example", ".example", ".leaf.example",
		"*.example", "xn--bcher-kva.example", "10.1.2.3", "b\u00fccher.example", "leaf", "a.b.leaf.example", "l_af.example"}
	for _, c := range []struct {
		who   string
		edits []edit
	}{
		{"host", nil},
		{"host in capitals", []edit{sans(dns("Leaf.EXAMPLE"))}},
		{"host with a dot behind", []edit{sans(dns("leaf.example."))}},
		{"second of two hosts", []edit{sans(dns("x.example.org"), dns("leaf.example"))}},
		{"wildcard", []edit{sans(dns("*.example"))}},
		{"wildcard one deeper", []edit{sans(dns("*.leaf.example"))}},
		{"star at the label's end", []edit{sans(dns("le*.example.org"), dns("le*.leaf.example"), dns("a*.leaf.example"))}},
		{"star at the label's beginning", []edit{sans(dns("*a.leaf.example"), dns("*f.example"))}},
		{"star within the label", []edit{sans(dns("l*f.example"), dns("a*a.leaf.example"))}},
		{"star in a later label", []edit{sans(dns("a.*.example"))}},
		{"two stars", []edit{sans(dns("*.*.example"))}},
		{"two stars in one label", []edit{sans(dns("*a*.leaf.example"))}},
		{"star alone", []edit{sans(dns("*"))}},
		{"star before IDN", []edit{sans(dns("*xn--bcher-kva.example"), dns("xn--*.example"))}},
		{"IDN", []edit{sans(dns("xn--bcher-kva.example"))}},
		{"wildcard over IDN", []edit{sans(dns("*.example"), dns("*.xn--p1ai"))}},
		{"NUL behind", []edit{sans(dns("leaf.example\x00"))}},
		{"NUL within", []edit{sans(dns("leaf.example\x00.evil"))}},
		{"blank behind", []edit{sans(dns("leaf.example "))}},
		{"empty", []edit{sans(dns(""))}},
		{"underscore", []edit{sans(dns("l_af.example"), dns("*.l_af.example"))}},
		{"address as text", []edit{sans(dns("10.1.2.3"))}},
		{"CN", []edit{noSANs, cn("leaf.example")}},
		{"CN, address as text", []edit{noSANs, cn("10.1.2.3")}},
		{"CN, wildcard", []edit{noSANs, cn("*.leaf.example")}},
		{"CN, one-label wildcard", []edit{noSANs, cn("*.example")}},
		{"CN in capitals", []edit{noSANs, cn("LEAF.EXAMPLE")}},
		{"CN, dot behind", []edit{noSANs, cn("leaf.example.")}},
		{"CN, NUL behind", []edit{noSANs, cn("leaf.example\x00")}},
		{"CN, NUL within", []edit{noSANs, cn("leaf.example\x00.evil")}},
		{"CN, blank behind", []edit{noSANs, cn("leaf.example ")}},
		{"CN, non-ASCII", []edit{noSANs, cn("b\u00fccher.example")}},
		{"CN beside another host", []edit{sans(dns("else.example.org")), cn("leaf.example")}},
		{"CN beside an address", []edit{sans(address("10.1.2.3")), cn("leaf.example")}},
		{"CN beside an e-mail", []edit{sans(email("a@b.example")), cn("leaf.example")}},
		{"CN beside a URI", []edit{sans(uri("https://leaf.example/")), cn("leaf.example")}},
		{"CN beside a directory name", []edit{sans(directory(common("x"))), cn("leaf.example")}},
		{"CN beside an empty host", []edit{sans(dns("")), cn("leaf.example")}},
		{"CN beside empty alternative names", []edit{sans(), cn("leaf.example")}},
		{"first of two CNs", []edit{noSANs, named(utf8("leaf.example"), utf8("else"))}},
		{"last of two CNs", []edit{noSANs, named(utf8("else"), utf8("leaf.example"))}},
		{"CN as BMPString", []edit{noSANs, named(bmp("leaf.example"))}},
		{"CN as T61String", []edit{noSANs, named(text{asn1.TagT61String, "leaf.example"})}},
		{"CN as PrintableString", []edit{noSANs, named(text{asn1.TagPrintableString, "leaf.example"})}},
		{"CN as IA5String", []edit{noSANs, named(text{asn1.TagIA5String, "leaf.example"})}},
		{"CN as UniversalString", []edit{noSANs, named(text{28, "\x00\x00\x00l\x00\x00\x00e\x00\x00\x00a\x00\x00\x00f"})}},
		{"CN empty", []edit{noSANs, cn("")}},
		{"no name at all", []edit{noSANs, subject(name())}},
		{"organization", []edit{noSANs, subject(name(attribute{oidOrg, utf8("leaf.example")}))}},
	} {
		for _, h := range hosts {
			ask("checkHost", h, c.who, c.edits...)
		}
	}
	addresses := []string{"10.1.2.3", "10.1.2.4", "::ffff:10.1.2.3", "2001:db8::1", "2001:DB8:0::1", "::1"}
	for _, c := range []struct {
		who   string
		edits []edit
	}{
		{"address", []edit{sans(address("10.1.2.3"))}},
		{"second address", []edit{sans(address("192.0.2.1"), address("10.1.2.3"))}},
		{"4 in 6", []edit{sans(implicit(7, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3}))}},
		{"version 6", []edit{sans(address("2001:db8::1"))}},
		{"host of that text", []edit{sans(dns("10.1.2.3"))}},
		{"CN of that text", []edit{noSANs, cn("10.1.2.3")}},
		{"none", []edit{noSANs}},
		{"address of 8 octets", []edit{sans(implicit(7, []byte{10, 1, 2, 3, 255, 255, 255, 255}))}},
		{"URI", []edit{sans(uri("https://10.1.2.3/"))}},
	} {
		for _, a := range addresses {
			ask("checkIP", a, c.who, c.edits...)
		}
	}
	boxes := []string{"a@leaf.example", "A@leaf.example", "a@LEAF.example", "a@leaf.example.", "leaf.example", "b@leaf.example", "@leaf.example"}
	mail := func(ts ...text) edit {
		as := []attribute{{oidCommonName, utf8("x")}}
		for _, t := range ts {
			as = append(as, attribute{oidEmail, t})
		}
		return subject(name(as...))
	}
	ia5 := func(s string) text { return text{asn1.TagIA5String, s} }
	for _, c := range []struct {
		who   string
		edits []edit
	}{
		{"mailbox", []edit{sans(email("a@leaf.example"))}},
		{"domain in capitals", []edit{sans(email("a@Leaf.EXAMPLE"))}},
		{"mailbox in capitals", []edit{sans(email("A@leaf.example"))}},
		{"second mailbox", []edit{sans(email("x@y"), email("a@leaf.example"))}},
		{"in the subject", []edit{noSANs, mail(ia5("a@leaf.example"))}},
		{"in the subject as UTF8String", []edit{noSANs, mail(utf8("a@leaf.example"))}},
		{"in the subject beside a host", []edit{mail(ia5("a@leaf.example"))}},
		{"in the subject beside another mailbox", []edit{sans(email("x@y")), mail(ia5("a@leaf.example"))}},
		{"second in the subject", []edit{noSANs, mail(ia5("x@y"), ia5("a@leaf.example"))}},
		{"in the CN", []edit{noSANs, cn("a@leaf.example")}},
		{"NUL behind", []edit{sans(email("a@leaf.example\x00"))}},
		{"NUL within", []edit{sans(email("a@leaf.example\x00.evil"))}},
		{"in the subject, NUL within", []edit{noSANs, mail(ia5("a@leaf.example\x00.evil"))}},
		{"domain alone", []edit{sans(email("leaf.example"))}},
		{"quoted", []edit{sans(email(`"a"@leaf.example`))}},
		{"none", []edit{noSANs}},
	} {
		for _, b := range boxes {
			ask("checkEmail", b, c.who, c.edits...)
		}
	}
	return append(all, alternativeTrials()...)
}

// alternativeTrials have several names asked for, or no chain behind the name.
func alternativeTrials() []*trial {
	r, other := root(), root(cn("Stranger"), with(newKey("p256", 3)))
	l := leaf(r, sans(dns("leaf.example"), address("10.1.2.3"), email("a@leaf.example")))
	named := leaf(r)
	var all []*trial
	for _, o := range []struct{ name, options string }{
		{"first host", "checkHost = leaf.example\ncheckHost = x.example\n"},
		{"second host", "checkHost = x.example\ncheckHost = leaf.example\n"},
		{"neither host", "checkHost = x.example\ncheckHost = y.example\n"},
		{"host not, address yes", "checkHost = x.example\ncheckIP = 10.1.2.3\n"},
		{"host yes, address not", "checkHost = leaf.example\ncheckIP = 10.1.2.4\n"},
		{"host not, e-mail yes", "checkHost = x.example\ncheckEmail = a@leaf.example\n"},
		{"address not, e-mail yes", "checkIP = 10.1.2.4\ncheckEmail = a@leaf.example\n"},
		{"none of three", "checkHost = x.example\ncheckIP = 10.1.2.4\ncheckEmail = b@leaf.example\n"},
	} {
		for _, level := range []string{"verifyChain = yes", "verifyPeer = yes", "verify = 3", "verify = 4"} {
			all = append(all,
				&trial{name: "alternatives, " + level + ": " + o.name, trusted: certs(r, l), sent: certs(l), options: o.options, level: level},
				&trial{name: "alternatives, " + level + ", not listed: " + o.name, trusted: certs(r), sent: certs(l), options: o.options, level: level},
				&trial{name: "alternatives, " + level + ", unknown CA: " + o.name, trusted: certs(other, l), sent: certs(l), options: o.options, level: level})
		}
	}
	return append(all,
		&trial{name: "name matches, unknown CA", trusted: certs(other), sent: certs(named), options: "checkHost = leaf.example\n"},
		&trial{name: "name matches, expired", trusted: certs(r), sent: certs(leaf(r, expired)), options: "checkHost = leaf.example\n"},
		&trial{name: "name matches in the issuer alone", trusted: certs(root(sans(dns("root.example")))), sent: certs(leaf(root(sans(dns("root.example"))))), options: "checkHost = root.example\n"},
		&trial{name: "level 1, name does not match", trusted: certs(r), sent: certs(named), level: "verify = 1", options: "checkHost = x.example\n"},
		&trial{name: "level 1, no certificate for a name", trusted: certs(r), level: "verify = 1", options: "checkHost = x.example\n", only: ofClient})
}
