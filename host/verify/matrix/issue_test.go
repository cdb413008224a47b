package matrix

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"sync/atomic"
)

var serials atomic.Int64

// fresh is what all certificates begin with: valid, of version 3, with key identifiers.
func fresh(subject string, k *key, by *cert) *cert {
	serial := number(serials.Add(1))
	if serial[0] >= 0x80 {
		serial = append([]byte{0}, serial...)
	}
	c := &cert{version: 3, serial: serial, subject: common(subject), key: k,
		validity: [2][]byte{utc(hours(-24)), utc(days(60))}}
	c.exts = append(c.exts, extension(oidSubjectKeyID, false, element(asn1.TagOctetString, k.id)))
	if by != nil {
		c.issuer = by.subject
		c.exts = append(c.exts, extension(oidAuthorityKeyID, false, sequence(implicit(0, by.key.id))))
	}
	return c
}

// finish edits and signs; a nil issuer makes the certificate self-signed.
func finish(c, by *cert, edits []edit) *cert {
	for _, e := range edits {
		e(c)
	}
	if c.issuer == nil {
		c.issuer = c.subject
	}
	if by == nil {
		return c.issue(c.key)
	}
	return c.issue(by.key)
}

func authority(subject string, number int, by *cert, edits []edit) *cert {
	c := fresh(subject, newKey("p256", number), by)
	c.exts = append(c.exts,
		extension(oidBasicConstraints, true, sequence(marshal(true))),
		extension(oidKeyUsage, true, bits(keyCertSign, cRLSign)))
	return finish(c, by, edits)
}

// root is a self-signed CA, named Root unless edited.
func root(edits ...edit) *cert { return authority("Root", 0, nil, edits) }

// middle is an intermediate CA, named Middle.
func middle(by *cert, edits ...edit) *cert { return authority("Middle", 1, by, edits) }

// leaf is an end entity's certificate for both purposes, for the host leaf.example. A nil
// issuer makes it self-signed.
func leaf(by *cert, edits ...edit) *cert {
	c := fresh("leaf", newKey("p256", 2), by)
	c.exts = append(c.exts,
		extension(oidKeyUsage, true, bits(digitalSignature)),
		extension(oidExtKeyUsage, false, oids(serverAuth, clientAuth)),
		extension(oidAltNames, false, sequence(dns("leaf.example"))))
	return finish(c, by, edits)
}

// Named bits of the key usage (RFC 5280, section 4.2.1.3).
const (
	digitalSignature = iota
	nonRepudiation
	keyEncipherment
	dataEncipherment
	keyAgreement
	keyCertSign
	cRLSign
	encipherOnly
	decipherOnly
)

var (
	anyUsage   = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
	serverAuth = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	clientAuth = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	codeSign   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	serverSGC  = asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 4, 1} // Netscape's step-up
	msSGC      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 10, 3, 3}
	otherUsage = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55555, 2}
)

func oids(list ...asn1.ObjectIdentifier) []byte { return marshal(list) }

// set puts an extension in, in place of one of the same kind.
func set(oid asn1.ObjectIdentifier, critical bool, value []byte) edit {
	return func(c *cert) {
		drop(oid)(c)
		add(oid, critical, value)(c)
	}
}

// add puts an extension in, even beside one of the same kind.
func add(oid asn1.ObjectIdentifier, critical bool, value []byte) edit {
	return func(c *cert) { c.exts = append(c.exts, extension(oid, critical, value)) }
}

func drop(list ...asn1.ObjectIdentifier) edit {
	return func(c *cert) {
		c.exts = slices.DeleteFunc(c.exts, func(e pkix.Extension) bool {
			return slices.ContainsFunc(list, e.Id.Equal)
		})
	}
}

// bare leaves no extension; a certificate of version 1 may have none.
func bare(version int) edit {
	return func(c *cert) { c.version, c.exts = version, nil }
}

func cn(s string) edit           { return func(c *cert) { c.subject = common(s) } }
func subject(n []byte) edit      { return func(c *cert) { c.subject = n } }
func with(k *key) edit           { return func(c *cert) { c.key = k; reidentify(c) } }
func signedWith(a string) edit   { return func(c *cert) { c.alg = a } }
func spoiled(c *cert)            { c.spoil = true }
func serial(b ...byte) edit      { return func(c *cert) { c.serial = b } }
func valid(from, to []byte) edit { return func(c *cert) { c.validity = [2][]byte{from, to} } }
func expired(c *cert)            { c.validity = [2][]byte{utc(days(-30)), utc(hours(-1))} }
func early(c *cert)              { c.validity = [2][]byte{utc(hours(1)), utc(days(30))} }

// reidentify makes the subject's key identifier that of a new key.
func reidentify(c *cert) {
	for i := range c.exts {
		if c.exts[i].Id.Equal(oidSubjectKeyID) {
			c.exts[i].Value = element(asn1.TagOctetString, c.key.id)
		}
	}
}

func extUsage(list ...asn1.ObjectIdentifier) edit { return set(oidExtKeyUsage, false, oids(list...)) }
func keyUsage(ns ...int) edit                     { return set(oidKeyUsage, true, bits(ns...)) }
func sans(names ...[]byte) edit                   { return set(oidAltNames, false, sequence(names...)) }
func pathLength(n int) edit {
	return set(oidBasicConstraints, true, sequence(marshal(true), marshal(n)))
}

var (
	noIDs  = drop(oidSubjectKeyID, oidAuthorityKeyID)
	noSANs = drop(oidAltNames)
	notCA  = set(oidBasicConstraints, true, sequence())
)

// within is a name constraint: subtrees that are permitted and those that are excluded.
func within(permitted, excluded [][]byte) edit {
	var parts [][]byte
	for tag, bases := range [][][]byte{permitted, excluded} {
		var trees [][]byte
		for _, b := range bases {
			trees = append(trees, sequence(b))
		}
		if len(trees) > 0 {
			parts = append(parts, explicit(tag, trees...))
		}
	}
	return set(oidNameConstraints, true, sequence(parts...))
}

func permit(bases ...[]byte) edit  { return within(bases, nil) }
func exclude(bases ...[]byte) edit { return within(nil, bases) }
