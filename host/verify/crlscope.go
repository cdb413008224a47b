package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	noList     = "unable to get certificate CRL"
	otherScope = "different CRL scope"
)

var oidDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}

// A scope is which certificates of its issuer a list speaks of, its issuing distribution
// point (RFC 5280 section 5.2.5). The zero value is all of them.
type scope struct {
	named     bool     // it has a distribution point's name
	names     [][]byte // general names in DER; none that are compared for a relative one
	onlyUsers bool
}

// parseScope gives a reason against a list that is for CAs or attributes, for some reasons
// or about other issuers' certificates: who is missing in it is not acquitted.
func parseScope(ext []byte) (s scope, reason string) {
	input, seq := cryptobyte.String(ext), cryptobyte.String{}
	if !input.ReadASN1(&seq, tags.SEQUENCE) || !input.Empty() {
		return s, otherScope
	}
	for !seq.Empty() {
		var field cryptobyte.String
		var tag tags.Tag
		if !seq.ReadAnyASN1(&field, &tag) {
			return s, otherScope
		}
		switch {
		case tag == tags.Tag(0).ContextSpecific().Constructed():
			s.named = true
			var ok bool
			if s.names, ok = fullNames(field); !ok {
				return s, otherScope
			}
		case tag == tags.Tag(1).ContextSpecific():
			s.onlyUsers = !bytes.Equal(field, []byte{0})
		case tag == tags.Tag(3).ContextSpecific(), tag == tags.Tag(4).ContextSpecific() && !bytes.Equal(field, []byte{0}):
			return s, noList
		case !bytes.Equal(field, []byte{0}):
			return s, otherScope
		}
	}
	return s, ""
}

// fullNames reads a DistributionPointName; one relative to the issuer gives no names.
func fullNames(point cryptobyte.String) (names [][]byte, ok bool) {
	var all cryptobyte.String
	var tag tags.Tag
	if !point.ReadAnyASN1(&all, &tag) || !point.Empty() {
		return nil, false
	}
	for tag == tags.Tag(0).ContextSpecific().Constructed() && !all.Empty() {
		var name cryptobyte.String
		if !all.ReadAnyASN1Element(&name, &tag) {
			return nil, false
		}
		names, tag = append(names, name), tags.Tag(0).ContextSpecific().Constructed()
	}
	return names, true
}

// A distributionPoint is where a certificate's own revocation is published.
type distributionPoint struct {
	named   bool
	names   [][]byte
	partial bool     // its lists are for some reasons only
	issuers []string // canonical names of those who sign them, none for the certificate's issuer
}

func parseDistributionPoints(ext []byte) (points []distributionPoint, ok bool) {
	input, seq := cryptobyte.String(ext), cryptobyte.String{}
	if !input.ReadASN1(&seq, tags.SEQUENCE) || !input.Empty() {
		return nil, false
	}
	for !seq.Empty() {
		var point, field cryptobyte.String
		var d distributionPoint
		if !seq.ReadASN1(&point, tags.SEQUENCE) ||
			!point.ReadOptionalASN1(&field, &d.named, tags.Tag(0).ContextSpecific().Constructed()) {
			return nil, false
		}
		if d.named {
			if d.names, ok = fullNames(field); !ok {
				return nil, false
			}
		}
		if !point.ReadOptionalASN1(&field, &d.partial, tags.Tag(1).ContextSpecific()) {
			return nil, false
		}
		var other bool
		if !point.ReadOptionalASN1(&field, &other, tags.Tag(2).ContextSpecific().Constructed()) || !point.Empty() {
			return nil, false
		}
		for !field.Empty() && other {
			name, ok := readGeneralName(&field)
			if !ok {
				return nil, false
			}
			issuer, err := canonical(name.value)
			if name.kind != directoryName || err != nil {
				issuer = "" // matches no list's
			}
			d.issuers = append(d.issuers, issuer)
		}
		points = append(points, d)
	}
	return points, true
}

// outside says why a list does not speak of a certificate, empty if it does.
func (r *RevocationList) outside(leaf *node) string {
	if r.scope.onlyUsers && leaf.BasicConstraintsValid && leaf.IsCA {
		return otherScope
	}
	ext := leaf.extension(oidDistributionPoints)
	if ext == nil && !r.scope.named {
		return ""
	}
	points, ok := parseDistributionPoints(ext)
	if ext != nil && !ok {
		return otherScope
	}
	for _, d := range points {
		switch {
		case len(d.issuers) > 0 && !slices.Contains(d.issuers, r.issuer):
		case d.named && r.scope.named && !share(d.names, r.scope.names):
		case d.partial:
			return noList // nobody says what the other reasons' lists hold
		default:
			return ""
		}
	}
	if r.scope.named {
		return otherScope
	}
	return ""
}

func share(a, b [][]byte) bool {
	return slices.ContainsFunc(a, func(x []byte) bool {
		return slices.ContainsFunc(b, func(y []byte) bool { return bytes.Equal(x, y) })
	})
}

// readList reads a list of either version. crypto/x509 knows the second alone, but openssl
// ca writes the first where no extensions are configured: it is read as one of the second
// without any, and keeps its own signed bytes.
func readList(der []byte) (*x509.RevocationList, error) {
	input, outer, tbs, fields := cryptobyte.String(der), cryptobyte.String{}, cryptobyte.String{}, cryptobyte.String{}
	if !input.ReadASN1(&outer, tags.SEQUENCE) || !outer.ReadASN1Element(&tbs, tags.SEQUENCE) {
		return x509.ParseRevocationList(der)
	}
	if t := tbs; !t.ReadASN1(&fields, tags.SEQUENCE) || !fields.PeekASN1Tag(tags.SEQUENCE) {
		return x509.ParseRevocationList(der)
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddBytes(fields)
		})
		b.AddBytes(outer)
	})
	second, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	list, err := x509.ParseRevocationList(second)
	if err == nil {
		list.RawTBSRevocationList = tbs
	}
	return list, err
}
