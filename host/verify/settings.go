package verify

import (
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// TrustSettings are what OpenSSL's TRUSTED CERTIFICATE blocks hold behind a certificate.
type TrustSettings struct {
	Limited  bool // it is trusted for some purposes only
	Rejected bool // it is distrusted for some
}

// ParseTrusted cuts such a block into the certificate and its settings.
func ParseTrusted(block []byte) (cert []byte, s TrustSettings, err error) {
	input, first, aux := cryptobyte.String(block), cryptobyte.String{}, cryptobyte.String{}
	if !input.ReadASN1Element(&first, tags.SEQUENCE) {
		return nil, s, errors.New("not a certificate")
	}
	if input.Empty() {
		return first, s, nil
	}
	var purposes, rejections cryptobyte.String
	if !input.ReadASN1(&aux, tags.SEQUENCE) || !input.Empty() ||
		!aux.ReadOptionalASN1(&purposes, &s.Limited, tags.SEQUENCE) ||
		!aux.ReadOptionalASN1(&rejections, &s.Rejected, tags.Tag(0).ContextSpecific().Constructed()) {
		return nil, s, errors.New("malformed trust settings")
	}
	return first, s, nil
}
