package matrix

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"
)

// A crl is a revocation list under construction.
type crl struct {
	version int
	issuer  []byte
	update  []byte
	next    []byte // nil: none
	entries [][]byte
	exts    []pkix.Extension
	alg     string
	spoil   bool
}

type crlEdit func(*crl)

var (
	oidCRLNumber = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReason    = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidDelta     = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIDP       = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertIssue = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// revocations is an issuer's CRL in DER: of version 2, valid, numbered.
func revocations(by *cert, edits ...crlEdit) []byte {
	l := &crl{version: 2, issuer: by.subject, update: utc(hours(-1)), next: utc(days(7)), alg: usual(by.key),
		exts: []pkix.Extension{
			extension(oidAuthorityKeyID, false, sequence(implicit(0, by.key.id))),
			extension(oidCRLNumber, false, marshal(1)),
		}}
	for _, e := range edits {
		e(l)
	}
	var parts [][]byte
	if l.version > 1 {
		parts = append(parts, marshal(l.version-1))
	}
	parts = append(parts, algorithms[l.alg].identifier(), l.issuer, l.update)
	if l.next != nil {
		parts = append(parts, l.next)
	}
	if len(l.entries) > 0 {
		parts = append(parts, sequence(l.entries...))
	}
	if len(l.exts) > 0 {
		parts = append(parts, explicit(0, marshal(l.exts)))
	}
	return signed(sequence(parts...), l.alg, by.key, l.spoil)
}

// revoke lists a certificate, with extensions of the entry.
func revoke(c *cert, exts ...pkix.Extension) crlEdit { return revokeAt(c, hours(-2), exts...) }

func revokeAt(c *cert, t time.Time, exts ...pkix.Extension) crlEdit {
	return func(l *crl) {
		parts := [][]byte{element(asn1.TagInteger, c.serial), utc(t)}
		if len(exts) > 0 {
			parts = append(parts, marshal(exts))
		}
		l.entries = append(l.entries, sequence(parts...))
	}
}

// reason is an entry's extension (RFC 5280, section 5.3.1).
func reason(n byte) pkix.Extension {
	return extension(oidReason, false, element(asn1.TagEnum, []byte{n}))
}

func listExt(oid asn1.ObjectIdentifier, critical bool, value []byte) crlEdit {
	return func(l *crl) { l.exts = append(l.exts, extension(oid, critical, value)) }
}

// point is the issuing distribution point with some of its booleans, numbered as in
// RFC 5280, section 5.2.5.
func point(tags ...int) crlEdit {
	var parts [][]byte
	for _, n := range tags {
		parts = append(parts, implicit(n, []byte{0xff}))
	}
	return listExt(oidIDP, true, sequence(parts...))
}

func listed(from, to []byte) crlEdit { return func(l *crl) { l.update, l.next = from, to } }
func listSigned(alg string) crlEdit  { return func(l *crl) { l.alg = alg } }
func listSpoiled(l *crl)             { l.spoil = true }
func listIssuer(n []byte) crlEdit    { return func(l *crl) { l.issuer = n } }
func listBare(l *crl)                { l.exts = nil }
func listVersion1(l *crl)            { l.version, l.exts = 1, nil }
func listNumber(n int) crlEdit {
	return func(l *crl) { l.exts[len(l.exts)-1] = extension(oidCRLNumber, false, marshal(n)) }
}
