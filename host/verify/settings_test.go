package verify

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
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

// TestRejectedWherever has the distrust be told in CApath, and the trust in CAfile; and the
// other way round for a certificate that the peer itself shows.
func TestRejectedWherever(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	leaf := issue(t, "leaf", root, nil)
	// id-kp-clientAuth is rejected (openssl x509 -addreject clientAuth).
	settings := []byte{0x30, 0x0c, 0xa0, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02}
	for _, c := range []struct {
		name     string
		verifier Verifier
		rejected *party
		reason   string
	}{
		{"root", Verifier{Chain: true}, root, "certificate rejected"},
		{"leaf below a good root", Verifier{Chain: true}, leaf, "certificate rejected"},
		{"listed leaf", Verifier{Peer: true}, leaf, "certificate rejected"},
	} {
		dir := t.TempDir()
		hash, err := Hash(c.rejected.cert.RawSubject)
		if err != nil {
			t.Fatal(err)
		}
		block := pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: bytes.Join([][]byte{c.rejected.cert.Raw, settings}, nil)})
		if err := os.WriteFile(filepath.Join(dir, hashName(hash, "")+"0"), block, 0o644); err != nil {
			t.Fatal(err)
		}
		v := &c.verifier
		v.now = func() time.Time { return noon }
		v.SetTrusted(certs(root, leaf))
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf)}, nil); err != nil {
			t.Errorf("%s: nothing is rejected, and got %v", c.name, err)
		}
		v.SetDirectory(dir)
		var e *Error
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf)}, nil); !errors.As(err, &e) || e.Reason != c.reason {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
