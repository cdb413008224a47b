package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// A revocation answers as it was told to, and notes what it is asked.
type revocation struct {
	answer error
	chain  []*x509.Certificate
	staple string
}

func (r *revocation) Check(_ context.Context, chain []*x509.Certificate, staple []byte, _ *logging.Logger) error {
	r.chain, r.staple = chain, string(staple)
	return r.answer
}

// TestRevocationIsAskedLast has it told the whole chain that was found, and only where
// everything else is good: whoever is a stranger must not make us ask anybody.
func TestRevocationIsAskedLast(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	middle := issue(t, "Middle", root, ca)
	leaf := issue(t, "leaf", middle, usage(x509.ExtKeyUsageServerAuth))
	alone := issue(t, "alone", nil, nil)
	refusal := &Error{Reason: "certificate revoked", Cert: leaf.cert}
	for _, c := range []struct {
		name   string
		sent   []*x509.Certificate
		host   string
		answer error
		asked  bool
	}{
		{"good", certs(leaf, middle), "", nil, true},
		{"revoked", certs(leaf, middle), "", refusal, true},
		{"a stranger", certs(alone), "", nil, false},
		{"another name", certs(leaf, middle), "x.example", nil, false},
	} {
		r := &revocation{answer: c.answer}
		v := &Verifier{Server: true, Chain: true, Revocation: r, now: func() time.Time { return noon }}
		if c.host != "" {
			v.Hosts = []string{c.host}
		}
		v.SetTrusted(certs(root))
		err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: c.sent, OCSPResponse: []byte("staple")}, nil)
		if c.asked {
			if !errors.Is(err, c.answer) || r.staple != "staple" || !slices.EqualFunc(r.chain, certs(leaf, middle, root), (*x509.Certificate).Equal) {
				t.Errorf("%s: %v, asked about %d certificates with staple %q", c.name, err, len(r.chain), r.staple)
			}
		} else if err == nil || r.chain != nil {
			t.Errorf("%s: %v, asked about %d certificates", c.name, err, len(r.chain))
		}
	}
}
