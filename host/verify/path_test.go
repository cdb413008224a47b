package verify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"
)

// circle makes certificates that may have issued each other, all of one name and over, as
// a peer would to have us search: the most that a handshake's messages can hold.
func circle(t testing.TB) []*x509.Certificate {
	var all []*x509.Certificate
	for i := range 600 {
		all = append(all, issue(t, "X", nil, func(c *x509.Certificate) {
			ca(c)
			c.SubjectKeyId = nil
			c.AuthorityKeyId = []byte{1}
			c.NotAfter = noon.Add(-time.Duration(i+1) * time.Second)
		}).cert)
	}
	return all
}

func TestPathsEnd(t *testing.T) {
	a := issue(t, "A", nil, ca)
	b := issue(t, "B", a, ca)
	// A and B sign each other.
	again := issue(t, "A", b, func(c *x509.Certificate) { ca(c); c.SubjectKeyId = a.cert.SubjectKeyId })
	leaf := issue(t, "leaf", b, nil)
	for name, sent := range map[string][]*x509.Certificate{
		"each other": certs(leaf, b, again, b, again),
		"the same":   certs(leaf, b, b, b),
	} {
		v := &Verifier{Server: true, Chain: true, now: func() time.Time { return noon }}
		var e *Error
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: sent}, nil); !errors.As(err, &e) || e.Depth > 2 {
			t.Errorf("%s: %v", name, err)
		}
		v.SetTrusted(certs(a))
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: sent}, nil); err != nil {
			t.Errorf("%s, with the root: %v", name, err)
		}
	}
	// Ours may sign each other too.
	v := &Verifier{Server: true, Chain: true, now: func() time.Time { return noon }}
	v.SetTrusted(certs(b, again))
	var e *Error
	if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf)}, nil); !errors.As(err, &e) || e.Reason != "certificate chain too long" {
		t.Errorf("got %v", err)
	}
}

// TestSignaturesOfHostilePathsAreNotChecked has a chain of a peer's own making, once with a
// CA's name on top and once where the chain is of no matter. One signature tells all; each of
// a hundred could take a millisecond.
func TestSignaturesOfHostilePathsAreNotChecked(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	own := issue(t, "Root", nil, func(c *x509.Certificate) { ca(c); c.SubjectKeyId = root.cert.SubjectKeyId })
	var sent []*x509.Certificate
	for i := range 20 {
		own = issue(t, fmt.Sprintf("Own %d", i), own, ca)
		sent = append(certs(own), sent...)
	}
	leaf := issue(t, "leaf", own, nil)
	sent = append(certs(leaf), sent...)
	for _, c := range []struct {
		name     string
		verifier Verifier
		good     bool
	}{
		{"verifyChain", Verifier{Chain: true}, false},
		{"both", Verifier{Chain: true, Peer: true}, false},
		{"verifyPeer", Verifier{Peer: true}, true},
	} {
		v := &c.verifier
		v.SetTrusted(certs(root, leaf))
		j := &judgement{Verifier: v, time: noon}
		if err := j.run(sent); (err == nil) != c.good || len(j.path.certs) != 22 {
			t.Errorf("%s: %v, a path of %d", c.name, err, len(j.path.certs))
		}
		checked := 0
		for _, g := range j.good {
			if g != 0 {
				checked++
			}
		}
		if checked != 1 {
			t.Errorf("%s: %d signatures were checked", c.name, checked)
		}
	}
}

// BenchmarkHostileChain is what a peer can have us search for with one handshake.
func BenchmarkHostileChain(b *testing.B) {
	for _, trusted := range []bool{false, true} {
		sent := circle(b)
		v := &Verifier{Server: true, Chain: true, Level: 2, now: func() time.Time { return noon }}
		if trusted {
			v.SetTrusted(sent[:300])
		}
		b.Run(fmt.Sprintf("known=%v", trusted), func(b *testing.B) {
			for b.Loop() {
				if v.Check(b.Context(), tls.ConnectionState{PeerCertificates: sent}, nil) == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
