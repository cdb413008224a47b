package verify

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/url"
	"testing"
	"time"
)

// FuzzCheck has a peer send any two certificates that crypto/x509 reads. Nobody knows the
// root's key, so that what the root and its leaf do not show is never accepted with
// verifyChain, and nothing that is not the listed leaf's with verifyPeer.
func FuzzCheck(f *testing.F) {
	root := issue(f, "Root", nil, func(c *x509.Certificate) {
		crlSigner(c)
		c.PermittedDNSDomains, c.ExcludedURIDomains = []string{"x.example"}, []string{"y.example"}
	})
	leaf := issue(f, "a.x.example", root, func(c *x509.Certificate) {
		c.EmailAddresses, c.IPAddresses = []string{"me@x.example"}, []net.IP{net.IPv6loopback}
		c.URIs = []*url.URL{{Scheme: "https", Host: "a.x.example", Path: "/"}}
		c.CRLDistributionPoints = []string{"http://x.example/crl"}
		c.ExtraExtensions = []pkix.Extension{{Id: oidNetscapeType, Value: []byte{3, 2, 0, 0xff}}}
	})
	f.Add(leaf.cert.Raw, root.cert.Raw)
	f.Add(root.cert.Raw, leaf.cert.Raw)
	list := parseList(f, revoke(f, root, nil))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		sent := []*x509.Certificate{}
		for _, der := range [][]byte{first, second} {
			if c, err := x509.ParseCertificate(der); err == nil {
				sent = append(sent, c)
			}
		}
		if len(sent) == 0 {
			return
		}
		state := tls.ConnectionState{PeerCertificates: sent, Version: tls.VersionTLS12}
		ours := sent[0].Equal(root.cert) || string(sent[0].RawTBSCertificate) == string(leaf.cert.RawTBSCertificate)
		for _, server := range []bool{false, true} {
			v := &Verifier{Server: server, Chain: true, Level: 1, Hosts: []string{"a.x.example"}, Emails: []string{"me@x.example"}, IPs: []string{"::1"},
				now: func() time.Time { return noon }}
			v.SetTrusted(certs(root))
			v.SetLists([]*RevocationList{list})
			if err := v.Check(t.Context(), state, nil); err == nil && !ours {
				t.Errorf("accepted: %x", first)
			}
			v = &Verifier{Server: server, Peer: true, now: v.now}
			v.SetTrusted(certs(leaf))
			if err := v.Check(t.Context(), state, nil); err == nil && string(sent[0].RawSubjectPublicKeyInfo) != string(leaf.cert.RawSubjectPublicKeyInfo) {
				t.Errorf("accepted as the listed one: %x", first)
			}
		}
	})
}
