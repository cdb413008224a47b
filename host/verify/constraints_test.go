package verify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestConstraintsAreBounded has a CA of the peer's own, which does not matter at
// verifyPeer, constrain thousands of names by thousands of names.
func TestConstraintsAreBounded(t *testing.T) {
	many := func(format string, n int) []string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return all
	}
	for _, c := range []struct {
		n    int
		want string
	}{{100, ""}, {1000, "unspecified certificate verification error"}} {
		own := issue(t, "Own", nil, func(t *x509.Certificate) { ca(t); t.ExcludedDNSDomains = many("x%d.example", c.n) })
		leaf := issue(t, "leaf", own, names(many("y%d.example", c.n)...))
		v := &Verifier{Server: true, Peer: true, now: func() time.Time { return noon }}
		v.SetTrusted(certs(leaf))
		reason := ""
		var e *Error
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf, own)}, nil); errors.As(err, &e) {
			reason = e.Reason
		}
		if reason != c.want {
			t.Errorf("%d names: %q, want %q", c.n, reason, c.want)
		}
	}
}

// TestConstraintsOfManyAreBounded has as many comparisons in a chain of CAs, none of which has
// too many for itself.
func TestConstraintsOfManyAreBounded(t *testing.T) {
	const n = 600
	var own *party
	var sent []*x509.Certificate
	for i := range 10 {
		own = issue(t, fmt.Sprintf("Own %d", i), own, func(c *x509.Certificate) {
			ca(c)
			for k := range n {
				c.ExcludedDNSDomains = append(c.ExcludedDNSDomains, fmt.Sprintf("x%d", k))
			}
		})
		sent = append(certs(own), sent...)
	}
	leaf := issue(t, "leaf", own, func(c *x509.Certificate) {
		for k := range n / 2 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("y%d", k))
		}
	})
	v := &Verifier{Server: true, Peer: true, now: func() time.Time { return noon }}
	v.SetTrusted(certs(leaf))
	var e *Error
	err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: append(certs(leaf), sent...)}, nil)
	if !errors.As(err, &e) || e.Reason != "unspecified certificate verification error" {
		t.Errorf("got %v", err)
	}
}

// TestForgedConstraintsAreNotCompared has the constrained CA be nobody's: its signature
// is bad, and that ends it.
func TestForgedConstraintsAreNotCompared(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	forged := issue(t, "Middle", issue(t, "Root", nil, ca), func(c *x509.Certificate) {
		ca(c)
		c.AuthorityKeyId = root.cert.SubjectKeyId
		c.ExcludedDNSDomains = []string{"x.example"}
	})
	leaf := issue(t, "leaf", forged, names("x.example"))
	v := &Verifier{Server: true, Chain: true, now: func() time.Time { return noon }}
	v.SetTrusted(certs(root))
	var e *Error
	if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf, forged)}, nil); !errors.As(err, &e) || e.Reason == excluded {
		t.Errorf("got %v", err)
	}
}

// FuzzConstraints wants no reader of names and subtrees to be led astray, and what lies in
// a subtree of DNS names to lie in it with labels before it.
func FuzzConstraints(f *testing.F) {
	root := issue(f, "Root", nil, func(c *x509.Certificate) {
		ca(c)
		c.PermittedDNSDomains, c.ExcludedEmailAddresses = []string{"x.example"}, []string{"me@x.example"}
	})
	n, err := newNode(root.cert)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(n.extension(oidNameConstraints), "a.x.example")
	f.Add([]byte{0x30, 0}, "")
	f.Fuzz(func(t *testing.T, ext []byte, name string) {
		c, reason := parseConstraints(ext)
		if reason != "" {
			return
		}
		for kind := range 9 {
			c.check(generalName{kind, []byte(name)})
		}
		for _, base := range c.permitted {
			if base.kind == dnsName && withinDNS(name, string(base.value)) && !withinDNS("a."+name, string(base.value)) && name != "" {
				t.Errorf("%q lies in %q, and a.%[1]s does not", name, base.value)
			}
		}
	})
}
