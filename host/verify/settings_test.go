package verify

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"
)

// TestRejectedStaysRejected wants a distrust to hold whatever else is told before or after.
func TestRejectedStaysRejected(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	leaf := issue(t, "leaf", root, nil)
	for _, first := range []bool{false, true} {
		v := &Verifier{Server: true, Chain: true, now: func() time.Time { return noon }}
		if first {
			v.Reject(certs(root))
		}
		v.SetTrusted(certs(root))
		if !first {
			v.Reject(certs(root))
		}
		var e *Error
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf, root)}, nil); !errors.As(err, &e) || e.Reason != "certificate rejected" {
			t.Errorf("rejected first %v: %v", first, err)
		}
	}
}
