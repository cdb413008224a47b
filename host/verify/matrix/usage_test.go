package matrix

import (
	"encoding/asn1"
	"fmt"
)

var usages = []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
	"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"}

// usageTrials are about what a certificate is for: key usage, extended key usage and
// Netscape's type.
func usageTrials() []*trial {
	flaws := []flaw{
		{name: "EKU serverAuth", edits: []edit{extUsage(serverAuth)}},
		{name: "EKU clientAuth", edits: []edit{extUsage(clientAuth)}},
		{name: "EKU both", edits: []edit{extUsage(serverAuth, clientAuth)}},
		{name: "EKU any alone", edits: []edit{extUsage(anyUsage)}},
		{name: "EKU any and serverAuth", edits: []edit{extUsage(anyUsage, serverAuth)}},
		{name: "EKU any and codeSigning", edits: []edit{extUsage(anyUsage, codeSign)}},
		{name: "EKU codeSigning", edits: []edit{extUsage(codeSign)}},
		{name: "EKU codeSigning and clientAuth", edits: []edit{extUsage(codeSign, clientAuth)}},
		{name: "EKU of nobody's", edits: []edit{extUsage(otherUsage)}},
		{name: "EKU of nobody's and serverAuth", edits: []edit{extUsage(otherUsage, serverAuth)}},
		{name: "EKU Netscape's step-up", edits: []edit{extUsage(serverSGC)}},
		{name: "EKU Microsoft's step-up", edits: []edit{extUsage(msSGC)}},
		{name: "EKU empty", edits: []edit{extUsage()}},
		{name: "EKU critical, both", edits: []edit{set(oidExtKeyUsage, true, oids(serverAuth, clientAuth))}},
		{name: "EKU absent", edits: []edit{drop(oidExtKeyUsage)}},
		{name: "EKU garbage", edits: []edit{set(oidExtKeyUsage, false, []byte{1, 2, 3})}},
		{name: "nsCertType server", edits: []edit{set(oidNetscapeType, false, bits(1))}},
		{name: "nsCertType client", edits: []edit{set(oidNetscapeType, false, bits(0))}},
		{name: "nsCertType both", edits: []edit{set(oidNetscapeType, false, bits(0, 1))}},
		{name: "nsCertType e-mail", edits: []edit{set(oidNetscapeType, false, bits(2))}},
		{name: "nsCertType SSL CA", edits: []edit{set(oidNetscapeType, false, bits(5))}},
		{name: "nsCertType e-mail CA", edits: []edit{set(oidNetscapeType, false, bits(6))}},
		{name: "nsCertType SSL CA, no basicConstraints", edits: []edit{set(oidNetscapeType, false, bits(5)), drop(oidBasicConstraints)}},
		{name: "nsCertType garbage", edits: []edit{set(oidNetscapeType, false, []byte{4, 0})}},
		{name: "key usage absent", edits: []edit{drop(oidKeyUsage)}},
		{name: "key usage empty", edits: []edit{set(oidKeyUsage, true, []byte{3, 1, 0})}},
		{name: "key usage garbage", edits: []edit{set(oidKeyUsage, true, []byte{5, 0})}},
		{name: "key usage not critical", edits: []edit{set(oidKeyUsage, false, bits(digitalSignature, keyCertSign))}},
		{name: "key usage all", edits: []edit{keyUsage(0, 1, 2, 3, 4, 5, 6, 7, 8)}},
		{name: "key usage all but keyCertSign", edits: []edit{keyUsage(0, 1, 2, 3, 4, 6, 7, 8)}},
		{name: "key usage signature and encipherment", edits: []edit{keyUsage(digitalSignature, keyEncipherment)}},
	}
	for n, u := range usages {
		flaws = append(flaws, flaw{name: "key usage " + u + " alone", edits: []edit{keyUsage(n)}})
	}
	all := everywhere(flaws)
	for n, u := range usages {
		t := &trial{name: fmt.Sprintf("key usage %s alone, self-signed leaf", u)}
		t.sent = []*cert{leaf(nil, keyUsage(n))}
		t.trusted = t.sent
		all = append(all, t)
	}
	t := &trial{name: "EKU in the root alone, for the other purpose"}
	t.trusted, t.sent = chain(map[int][]edit{3: {extUsage(codeSign)}, 0: {drop(oidExtKeyUsage)}})
	return append(all, t)
}

var (
	oidPolicies     = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidMappings     = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidInhibitAny   = asn1.ObjectIdentifier{2, 5, 29, 54}
	oidIssuerAlt    = asn1.ObjectIdentifier{2, 5, 29, 18}
	oidDirAttrs     = asn1.ObjectIdentifier{2, 5, 29, 9}
	oidFreshest     = asn1.ObjectIdentifier{2, 5, 29, 46}
	oidPoints       = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidAccess       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidNoCheck      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidFeature      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
	oidProxy        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 14}
	oidAddrBlocks   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 7}
	policy          = sequence(sequence(marshal(asn1.ObjectIdentifier{1, 2, 3, 4})))
	somewhere       = sequence(sequence(explicit(0, explicit(0, uri("http://crl.example/x.crl")))))
	null            = []byte{5, 0}
	issuerAltName   = sequence(dns("ca.example"))
	anyPolicy       = asn1.ObjectIdentifier{2, 5, 29, 32, 0}
	proxyInfo       = sequence(sequence(marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 21, 1})))
	accessInfo      = sequence(sequence(marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}), uri("http://ocsp.example/")))
	mustStaple      = sequence(marshal(5))
	policyMapping   = sequence(sequence(marshal(asn1.ObjectIdentifier{1, 2, 3, 4}), marshal(asn1.ObjectIdentifier{1, 2, 3, 5})))
	anyMapping      = sequence(sequence(marshal(anyPolicy), marshal(asn1.ObjectIdentifier{1, 2, 3, 5})))
	requirePolicy   = sequence(implicit(0, []byte{0}))
	inhibitMapping  = sequence(implicit(1, []byte{0}))
	emptyConstraint = sequence()
)

// extensionTrials are about versions and extensions that are no constraint themselves.
func extensionTrials() []*trial {
	return everywhere([]flaw{
		{name: "version 1", edits: []edit{bare(1)}},
		{name: "version 2", edits: []edit{bare(2)}},
		{name: "version 3 without extensions", edits: []edit{bare(3)}},
		{name: "version 1 with extensions", edits: []edit{func(c *cert) { c.version = 1 }}},
		{name: "version 2 with extensions", edits: []edit{func(c *cert) { c.version = 2 }}},
		{name: "version 4", edits: []edit{func(c *cert) { c.version = 4 }}},
		{name: "basicConstraints absent", edits: []edit{drop(oidBasicConstraints)}},
		{name: "basicConstraints absent, key usage too", edits: []edit{drop(oidBasicConstraints, oidKeyUsage)}},
		{name: "basicConstraints CA:FALSE", edits: []edit{notCA}},
		{name: "basicConstraints CA:FALSE, no key usage", edits: []edit{notCA, drop(oidKeyUsage)}},
		{name: "basicConstraints CA:TRUE", edits: []edit{set(oidBasicConstraints, true, sequence(marshal(true)))}},
		{name: "basicConstraints not critical", edits: []edit{set(oidBasicConstraints, false, sequence(marshal(true)))}},
		{name: "basicConstraints garbage", edits: []edit{set(oidBasicConstraints, true, []byte{1, 2, 3})}},
		{name: "basicConstraints with more behind", edits: []edit{set(oidBasicConstraints, true, append(sequence(marshal(true)), 5, 0))}},
		{name: "basicConstraints path length without CA", edits: []edit{set(oidBasicConstraints, true, sequence(marshal(1)))}},
		{name: "basicConstraints twice", edits: []edit{add(oidBasicConstraints, true, sequence(marshal(true))), add(oidBasicConstraints, true, sequence(marshal(true)))}},
		{name: "unknown extension", edits: []edit{add(oidUnknown, false, null)}},
		{name: "unknown extension twice", edits: []edit{add(oidUnknown, false, null), add(oidUnknown, false, null)}},
		{name: "unknown critical extension", edits: []edit{add(oidUnknown, true, null)}},
		{name: "alternative names twice", edits: []edit{add(oidAltNames, false, sequence(dns("a.example"))), add(oidAltNames, false, sequence(dns("b.example")))}},
		{name: "alternative names critical", edits: []edit{set(oidAltNames, true, sequence(dns("leaf.example")))}},
		{name: "alternative names garbage", edits: []edit{set(oidAltNames, false, []byte{1, 2, 3})}},
		{name: "alternative names empty", edits: []edit{sans()}},
		{name: "alternative names, address of 5 octets", edits: []edit{sans(dns("leaf.example"), implicit(7, []byte{1, 2, 3, 4, 5}))}},
		{name: "alternative names, NUL", edits: []edit{sans(dns("leaf.example\x00.evil"))}},
		{name: "alternative names, not ASCII", edits: []edit{sans(dns("l\xc3\xa9af.example"))}},
		{name: "alternative names, blank", edits: []edit{sans(dns("leaf example"))}},
		{name: "alternative names, bad URI", edits: []edit{sans(dns("leaf.example"), uri("http://[::1"))}},
		{name: "alternative names, registered ID", edits: []edit{sans(dns("leaf.example"), implicit(8, []byte{42, 3, 4}))}},
		{name: "key identifiers absent", edits: []edit{noIDs}},
		{name: "authority's key identifier critical", edits: []edit{func(c *cert) {
			for i := range c.exts {
				c.exts[i].Critical = c.exts[i].Critical || c.exts[i].Id.Equal(oidAuthorityKeyID)
			}
		}}},
		{name: "authority's key identifier garbage", edits: []edit{set(oidAuthorityKeyID, false, []byte{1, 2, 3})}},
		{name: "authority's key identifier of another", edits: []edit{set(oidAuthorityKeyID, false, sequence(implicit(0, []byte("somebody else"))))}},
		{name: "authority's key identifier empty", edits: []edit{set(oidAuthorityKeyID, false, sequence())}},
		{name: "authority's serial of another", edits: []edit{set(oidAuthorityKeyID, false, sequence(explicit(1, directory(common("Root"))), implicit(2, []byte{99})))}},
		{name: "authority's name of another", edits: []edit{set(oidAuthorityKeyID, false, sequence(explicit(1, directory(common("Stranger"))), implicit(2, []byte{99})))}},
		{name: "subject's key identifier garbage", edits: []edit{set(oidSubjectKeyID, false, []byte{1, 2, 3})}},
		{name: "subject's key identifier critical", edits: []edit{set(oidSubjectKeyID, true, element(asn1.TagOctetString, []byte("x")))}},
		{name: "policies", edits: []edit{add(oidPolicies, false, policy)}},
		{name: "policies critical", edits: []edit{add(oidPolicies, true, policy)}},
		{name: "policies garbage", edits: []edit{add(oidPolicies, true, []byte{1, 2, 3})}},
		{name: "policies twice the same", edits: []edit{add(oidPolicies, false, sequence(sequence(marshal(anyPolicy)), sequence(marshal(anyPolicy))))}},
		{name: "policyConstraints unmet", edits: []edit{add(oidPolicyConstraint, true, requirePolicy)}},
		{name: "policyConstraints unmet, not critical", edits: []edit{add(oidPolicyConstraint, false, requirePolicy)}},
		{name: "policyConstraints inhibit mapping", edits: []edit{add(oidPolicyConstraint, true, inhibitMapping)}},
		{name: "policyConstraints empty", edits: []edit{add(oidPolicyConstraint, true, emptyConstraint)}},
		{name: "inhibitAnyPolicy", edits: []edit{add(oidInhibitAny, true, marshal(0))}},
		{name: "inhibitAnyPolicy negative", edits: []edit{add(oidInhibitAny, true, marshal(-1))}},
		{name: "policyMappings", edits: []edit{add(oidPolicies, false, policy), add(oidMappings, true, policyMapping)}},
		{name: "policyMappings of any", edits: []edit{add(oidMappings, true, anyMapping)}},
		{name: "issuer's alternative name", edits: []edit{add(oidIssuerAlt, false, issuerAltName)}},
		{name: "issuer's alternative name critical", edits: []edit{add(oidIssuerAlt, true, issuerAltName)}},
		{name: "directory attributes critical", edits: []edit{add(oidDirAttrs, true, sequence())}},
		{name: "freshest CRL", edits: []edit{add(oidFreshest, false, somewhere)}},
		{name: "CRL distribution points", edits: []edit{add(oidPoints, false, somewhere)}},
		{name: "CRL distribution points critical", edits: []edit{add(oidPoints, true, somewhere)}},
		{name: "CRL distribution points garbage", edits: []edit{add(oidPoints, false, []byte{1, 2, 3})}},
		{name: "access information", edits: []edit{add(oidAccess, false, accessInfo)}},
		{name: "access information critical", edits: []edit{add(oidAccess, true, accessInfo)}},
		{name: "access information garbage", edits: []edit{add(oidAccess, false, []byte{1, 2, 3})}},
		{name: "OCSP no-check critical", edits: []edit{add(oidNoCheck, true, null)}},
		{name: "must-staple", edits: []edit{add(oidFeature, false, mustStaple)}},
		{name: "must-staple critical", edits: []edit{add(oidFeature, true, mustStaple)}},
		{name: "proxy certificate", edits: []edit{drop(oidAltNames), add(oidProxy, true, proxyInfo)}},
		{name: "addresses (RFC 3779) critical", edits: []edit{add(oidAddrBlocks, true, sequence())}},
		{name: "serial negative", edits: []edit{serial(0xff)}},
		{name: "serial zero", edits: []edit{serial(0)}},
		{name: "serial of 40 octets", edits: []edit{serial(append([]byte{1}, make([]byte, 39)...)...)}},
		{name: "serial padded", edits: []edit{serial(0, 1)}, unreadable: true},
		{name: "serial without octets", edits: []edit{serial()}, unreadable: true},
		{name: "subject empty", edits: []edit{subject(name())}},
		{name: "subject empty, alternative name critical", edits: []edit{subject(name()), set(oidAltNames, true, sequence(dns("leaf.example")))}},
		{name: "signature spoilt", edits: []edit{spoiled}},
		{name: "two algorithms named", edits: []edit{func(c *cert) { c.inner = "ecdsa-sha384" }}},
	})
}
