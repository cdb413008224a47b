package verify

import (
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// TrustSettings are what OpenSSL's TRUSTED CERTIFICATE blocks hold behind a certificate.
type TrustSettings struct {
	Limited  bool // it is trusted for some purposes only
	Rejected bool // it is distrusted for some
}

// CertificateIn gives the certificate in a PEM block of any of the types that OpenSSL reads;
// nil: there is none.
func CertificateIn(p *pem.Block) (der []byte, s TrustSettings) {
	switch p.Type {
	case "CERTIFICATE", "X509 CERTIFICATE":
		return p.Bytes, s
	case "TRUSTED CERTIFICATE":
		der, s, err := parseTrusted(p.Bytes)
		if err == nil {
			return der, s
		}
	}
	return nil, s
}

// parseTrusted cuts a block with settings into these and the certificate.
func parseTrusted(block []byte) (cert []byte, s TrustSettings, err error) {
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
