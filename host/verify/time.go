package verify

import (
	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// timeForm reads a time and says whether it is written as RFC 5280 section 4.1.2.5 asks:
// with seconds, and without a zone. crypto/x509 takes some that are not; OpenSSL refuses them.
func timeForm(s *cryptobyte.String) bool {
	var text cryptobyte.String
	var tag tags.Tag
	if !s.ReadAnyASN1(&text, &tag) {
		return false
	}
	switch tag {
	case tags.UTCTime:
		return len(text) == len("YYMMDDhhmmssZ")
	case tags.GeneralizedTime:
		return len(text) == len("YYYYMMDDhhmmssZ")
	}
	return false
}

// validityForm says what is wrong with the form of a certificate's validity.
func validityForm(tbs []byte) string {
	input, seq, validity := cryptobyte.String(tbs), cryptobyte.String{}, cryptobyte.String{}
	if !input.ReadASN1(&seq, tags.SEQUENCE) ||
		!seq.SkipOptionalASN1(tags.Tag(0).ContextSpecific().Constructed()) || // version
		!seq.SkipASN1(tags.INTEGER) || !seq.SkipASN1(tags.SEQUENCE) || !seq.SkipASN1(tags.SEQUENCE) || // serial, algorithm, issuer
		!seq.ReadASN1(&validity, tags.SEQUENCE) {
		return badSyntax
	}
	for _, field := range []string{"notBefore", "notAfter"} {
		if !timeForm(&validity) {
			return "format error in certificate's " + field + " field"
		}
	}
	return ""
}

// updateForm says what is wrong with the form of a revocation list's times.
func updateForm(tbs []byte) string {
	input, seq := cryptobyte.String(tbs), cryptobyte.String{}
	if !input.ReadASN1(&seq, tags.SEQUENCE) ||
		!seq.SkipOptionalASN1(tags.INTEGER) || // version
		!seq.SkipASN1(tags.SEQUENCE) || !seq.SkipASN1(tags.SEQUENCE) { // algorithm, issuer
		return badSyntax
	}
	if !timeForm(&seq) {
		return "format error in CRL's lastUpdate field"
	}
	next := seq.PeekASN1Tag(tags.UTCTime) || seq.PeekASN1Tag(tags.GeneralizedTime)
	if next && !timeForm(&seq) {
		return "format error in CRL's nextUpdate field"
	}
	return ""
}
