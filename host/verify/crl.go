package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"
)

// Extensions of revocation lists (RFC 5280 sections 5.2 and 5.3).
var (
	oidDeltaCRL       = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingPoint   = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidReasonCode     = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidInvalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}
)

// removeFromCRL is the reason code of an entry that takes an earlier one back.
const removeFromCRL = 8

// A RevocationList is a certificate revocation list, indexed by serial numbers when it is
// read so that a handshake does not search it. It is safe for concurrent use.
type RevocationList struct {
	list      *x509.RevocationList // without its entries
	issuer    string
	authority authority
	revoked   map[string]struct{}
	delta     bool
	scope     scope
	unusable  string // why it decides nothing, in OpenSSL's words
	badTime   string // what is wrong with the form of its times, see updateForm

	// signedBy and unsignedBy are the keys under which the signature was last found good and
	// bad: a list of megabytes is hashed once for each, not in every handshake. A CA that has
	// changed its key has two, and peers may show certificates of both.
	signedBy, unsignedBy atomic.Pointer[[]byte]
}

// ParseRevocationList reads one list in DER.
func ParseRevocationList(der []byte) (*RevocationList, error) {
	list, err := readList(der)
	if err != nil {
		return nil, err
	}
	r := &RevocationList{list: list, badTime: updateForm(list.RawTBSRevocationList)}
	if r.issuer, err = canonical(list.RawIssuer); err != nil {
		return nil, err
	}
	for _, e := range list.Extensions {
		switch {
		case e.Id.Equal(oidAuthorityKeyID):
			if r.authority, err = parseAuthority(e.Value); err != nil {
				return nil, err
			}
		case e.Id.Equal(oidDeltaCRL):
			r.delta = true // only what changed: nobody is acquitted by it
		case e.Id.Equal(oidIssuingPoint):
			s, reason := parseScope(e.Value)
			if r.scope = s; reason != "" {
				r.unusable = reason
			}
		case e.Critical:
			r.unusable = "unhandled critical CRL extension"
		}
	}
	r.index()
	return r, nil
}

func (r *RevocationList) index() {
	r.revoked = make(map[string]struct{}, len(r.list.RevokedCertificateEntries))
	for i := range r.list.RevokedCertificateEntries {
		e := &r.list.RevokedCertificateEntries[i]
		for _, x := range e.Extensions {
			if x.Critical && !x.Id.Equal(oidReasonCode) && !x.Id.Equal(oidInvalidityDate) {
				r.unusable = "unhandled critical CRL extension"
			}
		}
		if e.ReasonCode != removeFromCRL {
			r.revoked[serialKey(e.SerialNumber)] = struct{}{}
		}
	}
	r.list.RevokedCertificateEntries = nil
	//lint:ignore SA1019 the older copy of the same list is dropped with it
	r.list.RevokedCertificates = nil
}

// serialKey is a serial number as a map's key.
func serialKey(n *big.Int) string {
	if n.Sign() < 0 {
		return "-" + string(n.Bytes())
	}
	return string(n.Bytes())
}

// ParseRevocationLists gives the lists of a PEM file. A damaged one is an error: without it
// an older one would decide.
func ParseRevocationLists(data []byte) ([]*RevocationList, error) {
	var all []*RevocationList
	if n := Unread(data); n > 0 {
		return nil, &UnreadError{n}
	}
	for block := range Blocks(data) {
		if block.Type != "X509 CRL" {
			continue
		}
		r, err := ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, errors.New("no revocation list in it")
	}
	return all, nil
}

// parseHashedLists is ParseRevocationLists for a file in a directory: one that cannot be
// read lists nobody, and a missing list refuses.
func parseHashedLists(data []byte) []*RevocationList {
	all, err := ParseRevocationLists(data)
	if err != nil {
		return nil
	}
	return all
}

// Outdated says of a list that is not valid now whose it is and why; else it is empty.
func (r *RevocationList) Outdated(now time.Time) string {
	reason := r.current(now)
	if reason == "" {
		return ""
	}
	return fmt.Sprintf("%s: this update %s, next update %s: %s", reason, r.list.ThisUpdate.UTC().Format(time.DateTime), r.list.NextUpdate.UTC().Format(time.DateTime), r.list.Issuer)
}

// current says what is wrong with a list's time.
func (r *RevocationList) current(now time.Time) string {
	switch {
	case r.badTime != "":
		return r.badTime
	case r.list.ThisUpdate.Unix() > now.Unix():
		return "CRL is not yet valid"
	case !r.list.NextUpdate.IsZero() && r.list.NextUpdate.Unix() <= now.Unix():
		return "CRL has expired"
	}
	return ""
}

// signed says whether an issuer's key made the list.
func (r *RevocationList) signed(issuer *node) bool {
	is := func(key *[]byte) bool { return key != nil && bytes.Equal(*key, issuer.RawSubjectPublicKeyInfo) }
	switch {
	case is(r.signedBy.Load()):
		return true
	case is(r.unsignedBy.Load()):
		return false
	}
	key := bytes.Clone(issuer.RawSubjectPublicKeyInfo) // the original would keep all of the certificate
	if issuer.CheckSignature(r.list.SignatureAlgorithm, r.list.RawTBSRevocationList, r.list.Signature) != nil {
		r.unsignedBy.Store(&key)
		return false
	}
	r.signedBy.Store(&key)
	return true
}

// revokes says whether a serial number is on the list.
func (r *RevocationList) revokes(serial *big.Int) bool {
	_, ok := r.revoked[serialKey(serial)]
	return ok
}
