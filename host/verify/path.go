package verify

import (
	"slices"
	"time"
)

// maxDepth is how many certificates may stand between the peer's own and the anchor,
// OpenSSL's default.
const maxDepth = 100

// A path is the one way up from the peer's certificate that is judged. Like OpenSSL, and
// unlike crypto/x509, no second way is tried where the first does not hold: what is
// accepted here is accepted there.
type path struct {
	certs     []*node // the peer's own first
	untrusted int     // how many of them came from the peer alone
	trusted   bool    // it ends at a certificate of ours that is its own issuer
}

func (p *path) last() *node { return p.certs[len(p.certs)-1] }

// build finds the way up through what was sent, each certificate once. Certificates of ours
// come before those that were sent, and once one of ours stands in the path only ours follow.
// Only a self-signed one ends it well: an intermediate that is listed without its root does
// not make an anchor, as an operator who removed the root expects.
func (s *store) build(sent []*node, now time.Time) *path {
	p := &path{certs: []*node{sent[0]}, untrusted: 1}
	rest := slices.Clone(sent[1:])
	for fromPeer := true; ; {
		current := p.last()
		var issuer *node
		if len(p.certs) <= maxDepth+1 {
			issuer = best(s.named(current.issuer), current, now)
		}
		if issuer != nil && p.extend(current, issuer) {
			fromPeer = false
			if p.trusted = issuer.selfSigned(); p.trusted {
				return p
			}
			if !current.selfSigned() {
				continue
			}
		}
		if !fromPeer || current.selfSigned() || len(p.certs) > maxDepth+1 {
			return p
		}
		// A certificate takes part once, or two that sign each other would have no end.
		issuer = best(rest, current, now)
		if issuer == nil {
			return p
		}
		rest = slices.DeleteFunc(rest, func(n *node) bool { return n == issuer })
		p.certs = append(p.certs, issuer)
		p.untrusted++
	}
}

// extend puts an issuer of ours on top. A sent self-signed certificate is replaced by ours
// if it is the same, byte for byte, and else stays what it is: an impostor of that name.
func (p *path) extend(current, issuer *node) bool {
	if !current.selfSigned() {
		p.certs = append(p.certs, issuer)
		return true
	}
	if len(p.certs) != p.untrusted {
		return true
	}
	if !current.Equal(issuer.Certificate) {
		return false
	}
	p.untrusted--
	p.certs[p.untrusted] = issuer
	return true
}

// best gives an issuer of a certificate: the first that is valid now, else the one that
// was valid last.
func best(candidates []*node, of *node, now time.Time) *node {
	var late *node
	for _, c := range candidates {
		if !c.issuerOf(of) {
			continue
		}
		if validity(c, now) == "" {
			return c
		}
		if late == nil || c.NotAfter.After(late.NotAfter) {
			late = c
		}
	}
	return late
}

// validity is what is wrong with a certificate's time, empty if nothing. The second in
// which it ends counts as over, as OpenSSL has it.
func validity(n *node, now time.Time) string {
	switch {
	case n.badTime != "":
		return n.badTime
	case n.NotBefore.Unix() > now.Unix():
		return "certificate is not yet valid"
	case n.NotAfter.Unix() <= now.Unix():
		return "certificate has expired"
	}
	return ""
}

// unanchored says in OpenSSL's words why a path that is not trusted ends where it does.
func (p *path) unanchored() string {
	switch n := len(p.certs); {
	case n > maxDepth+1:
		return "certificate chain too long"
	case p.last().selfSigned() && n == 1:
		return reasonSelfSigned
	case p.last().selfSigned():
		return "self-signed certificate in certificate chain"
	case p.untrusted < n:
		return "unable to get issuer certificate"
	}
	return reasonNoIssuer
}
