package verify

import (
	"crypto/x509"
	"time"
)

// A crlSource is what CRLfile and CRLpath say. Only the peer's own certificate is looked
// up, as stunnel has it.
type crlSource struct {
	listed      map[string][]*RevocationList // by canonical issuer
	directories []*hashedDirectory[*RevocationList]
}

// judge says why the peer's certificate is refused, empty if its issuer's list does not
// name it. Whoever could make the list go away, or be an old one, would make a stolen key
// good again: no list, and one that is over, refuse.
func (r *crlSource) judge(p *path, now time.Time) string {
	leaf := p.certs[0]
	issuer := leaf
	if len(p.certs) > 1 {
		issuer = p.certs[1]
	} else if !leaf.selfSigned() {
		issuer = nil
	}
	list := r.newest(leaf, issuer, now)
	switch {
	case list == nil:
		return noList
	case issuer == nil:
		return "unable to get CRL issuer certificate"
	case issuer.extension(oidKeyUsage) != nil && issuer.KeyUsage&x509.KeyUsageCRLSign == 0:
		return "key usage does not include CRL signing"
	case list.unusable != "":
		return list.unusable
	}
	if reason := list.outside(leaf); reason != "" {
		return reason
	}
	if reason := list.current(now); reason != "" {
		return reason
	}
	if !list.signed(issuer) {
		return "CRL signature failure"
	}
	if list.revokes(leaf.SerialNumber) {
		return "certificate revoked"
	}
	return ""
}

// newest gives the list that decides: of those that can decide now the newest, else the
// newest of the others, which tells the reason.
func (r *crlSource) newest(leaf, issuer *node, now time.Time) *RevocationList {
	var chosen *RevocationList
	var score int
	consider := func(lists []*RevocationList) {
		for _, l := range lists {
			if l.issuer != leaf.issuer || l.delta || issuer != nil && !l.authority.allows(issuer) {
				continue
			}
			s := 0
			if l.unusable == "" && l.outside(leaf) == "" {
				s += 2
			}
			if l.current(now) == "" {
				s++
			}
			if chosen == nil || s > score || s == score && l.list.ThisUpdate.After(chosen.list.ThisUpdate) {
				chosen, score = l, s
			}
		}
	}
	consider(r.listed[leaf.issuer])
	for _, d := range r.directories {
		consider(d.find(leaf.issuer))
	}
	return chosen
}
