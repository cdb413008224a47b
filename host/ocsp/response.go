package ocsp

import (
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

var errMalformed = errors.New("malformed response")

// A response is a BasicOCSPResponse (RFC 6960, section 4.2.1), parsed and not yet believed.
type response struct {
	tbs       []byte // what is signed
	algorithm encoding_asn1.ObjectIdentifier
	signature []byte
	signers   [][]byte // the certificates that came with it
	name      []byte   // of the responder, or
	key       []byte   // its key's SHA-1
	singles   []single
	nonce     []byte // the extension's value; nil: none
}

// A single is what a response says of one certificate.
type single struct {
	id     certID
	answer Answer
}

type certID struct {
	hash      encoding_asn1.ObjectIdentifier
	name, key []byte
	serial    *big.Int
}

// statuses are OCSPResponseStatus in OpenSSL's words.
var statuses = map[int]string{1: "malformedrequest", 2: "internalerror", 3: "trylater", 5: "sigrequired", 6: "unauthorized"}

var oidBasic = encoding_asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}

// Tags of context-specific fields.
var (
	explicit0 = asn1.Tag(0).ContextSpecific().Constructed()
	explicit1 = asn1.Tag(1).ContextSpecific().Constructed()
	explicit2 = asn1.Tag(2).ContextSpecific().Constructed()
	implicit0 = asn1.Tag(0).ContextSpecific()
	implicit2 = asn1.Tag(2).ContextSpecific()
)

// parse reads an OCSPResponse. It takes DER alone, and nothing behind it.
func parse(raw []byte) (*response, error) {
	in := cryptobyte.String(raw)
	var outer, rest, content cryptobyte.String
	var status int
	var kind encoding_asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, asn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, errMalformed
	}
	if status != 0 {
		text, ok := statuses[status]
		if !ok {
			text = "(UNKNOWN)"
		}
		//lint:ignore ST1005 the words are stunnel's
		return nil, fmt.Errorf("Responder error: %d: %s", status, text)
	}
	if !outer.ReadASN1(&rest, explicit0) || !outer.Empty() || !rest.ReadASN1(&content, asn1.SEQUENCE) || !rest.Empty() ||
		!content.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidBasic) ||
		!content.ReadASN1(&rest, asn1.OCTET_STRING) || !content.Empty() {
		return nil, errMalformed
	}
	return parseBasic(rest)
}

func parseBasic(in cryptobyte.String) (*response, error) {
	var basic, tbs, algorithm, certs cryptobyte.String
	var hasCerts bool
	r := &response{}
	if !in.ReadASN1(&basic, asn1.SEQUENCE) || !in.Empty() ||
		!basic.ReadASN1Element(&tbs, asn1.SEQUENCE) ||
		!basic.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&r.algorithm) ||
		!basic.ReadASN1BitStringAsBytes(&r.signature) ||
		!basic.ReadOptionalASN1(&certs, &hasCerts, explicit0) || !basic.Empty() {
		return nil, errMalformed
	}
	r.tbs = tbs
	if hasCerts {
		var list, cert cryptobyte.String
		if !certs.ReadASN1(&list, asn1.SEQUENCE) || !certs.Empty() {
			return nil, errMalformed
		}
		for !list.Empty() {
			if !list.ReadASN1Element(&cert, asn1.SEQUENCE) {
				return nil, errMalformed
			}
			if len(r.signers) < maxSigners {
				r.signers = append(r.signers, cert)
			}
		}
	}
	if !r.parseData(tbs) {
		return nil, errMalformed
	}
	return r, nil
}

// parseData reads ResponseData.
func (r *response) parseData(in cryptobyte.String) bool {
	var data, version, id, list, one, extensions cryptobyte.String
	var hasVersion, hasExtensions bool
	var produced time.Time
	if !in.ReadASN1(&data, asn1.SEQUENCE) || !data.ReadOptionalASN1(&version, &hasVersion, explicit0) {
		return false
	}
	if hasVersion {
		var v int // v1, which DER would leave out and some write all the same
		if !version.ReadASN1Integer(&v) || v != 0 || !version.Empty() {
			return false
		}
	}
	switch {
	case data.PeekASN1Tag(explicit1):
		var name cryptobyte.String
		if !data.ReadASN1(&id, explicit1) || !id.ReadASN1Element(&name, asn1.SEQUENCE) || !id.Empty() {
			return false
		}
		r.name = name
	default:
		var key cryptobyte.String
		if !data.ReadASN1(&id, explicit2) || !id.ReadASN1(&key, asn1.OCTET_STRING) || !id.Empty() {
			return false
		}
		r.key = key
	}
	if !data.ReadASN1GeneralizedTime(&produced) || !data.ReadASN1(&list, asn1.SEQUENCE) ||
		!data.ReadOptionalASN1(&extensions, &hasExtensions, explicit1) || !data.Empty() {
		return false
	}
	for !list.Empty() {
		var s single
		if !list.ReadASN1(&one, asn1.SEQUENCE) || !s.parse(one) {
			return false
		}
		r.singles = append(r.singles, s)
	}
	return !hasExtensions || readExtensions(extensions, func(oid encoding_asn1.ObjectIdentifier, value []byte) bool {
		if !oid.Equal(oidNonce) {
			return false
		}
		r.nonce = value
		return true
	})
}

// parse reads a SingleResponse.
func (s *single) parse(in cryptobyte.String) bool {
	var id, hash, next, status, extensions cryptobyte.String
	var hasNext, hasExtensions bool
	var name, key cryptobyte.String
	s.id.serial = new(big.Int)
	a := &s.answer
	a.Reason = -1
	if !in.ReadASN1(&id, asn1.SEQUENCE) || !id.ReadASN1(&hash, asn1.SEQUENCE) || !hash.ReadASN1ObjectIdentifier(&s.id.hash) ||
		!id.ReadASN1(&name, asn1.OCTET_STRING) || !id.ReadASN1(&key, asn1.OCTET_STRING) ||
		!id.ReadASN1Integer(s.id.serial) || !id.Empty() {
		return false
	}
	s.id.name, s.id.key = name, key
	switch {
	case in.PeekASN1Tag(implicit0):
		a.Status = Good
		if !in.ReadASN1(&status, implicit0) || !status.Empty() {
			return false
		}
	case in.PeekASN1Tag(explicit1):
		a.Status = Revoked
		var reason cryptobyte.String
		var hasReason bool
		if !in.ReadASN1(&status, explicit1) || !status.ReadASN1GeneralizedTime(&a.RevokedAt) ||
			!status.ReadOptionalASN1(&reason, &hasReason, explicit0) || !status.Empty() ||
			hasReason && (!reason.ReadASN1Enum(&a.Reason) || !reason.Empty()) {
			return false
		}
	default:
		if !in.ReadASN1(&status, implicit2) || !status.Empty() {
			return false
		}
	}
	if !in.ReadASN1GeneralizedTime(&a.ThisUpdate) || !in.ReadOptionalASN1(&next, &hasNext, explicit0) ||
		hasNext && (!next.ReadASN1GeneralizedTime(&a.NextUpdate) || !next.Empty()) ||
		!in.ReadOptionalASN1(&extensions, &hasExtensions, explicit1) || !in.Empty() {
		return false
	}
	return !hasExtensions || readExtensions(extensions, func(encoding_asn1.ObjectIdentifier, []byte) bool { return false })
}

// readExtensions gives each extension to know, which says whether it understands it. One
// that is critical and not understood spoils the response: it may say that the answer
// does not mean what it seems to.
func readExtensions(in cryptobyte.String, know func(oid encoding_asn1.ObjectIdentifier, value []byte) bool) bool {
	var list cryptobyte.String
	if !in.ReadASN1(&list, asn1.SEQUENCE) || !in.Empty() {
		return false
	}
	for !list.Empty() {
		var one, value cryptobyte.String
		var oid encoding_asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&one, asn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&oid) ||
			one.PeekASN1Tag(asn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) ||
			!one.ReadASN1(&value, asn1.OCTET_STRING) || !one.Empty() {
			return false
		}
		if !know(oid, value) && critical {
			return false
		}
	}
	return true
}

// algorithms are the signatures that are believed. SHA-1 and MD5 are not: a responder
// signs serial numbers and nonces that strangers choose, which is what collisions need.
var algorithms = []struct {
	oid encoding_asn1.ObjectIdentifier
	x   x509.SignatureAlgorithm
}{
	{encoding_asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, x509.SHA256WithRSA},
	{encoding_asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, x509.SHA384WithRSA},
	{encoding_asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, x509.SHA512WithRSA},
	{encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, x509.ECDSAWithSHA256},
	{encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, x509.ECDSAWithSHA384},
	{encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, x509.ECDSAWithSHA512},
	{encoding_asn1.ObjectIdentifier{1, 3, 101, 112}, x509.PureEd25519},
}
