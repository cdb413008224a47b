package verify

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// revoke makes a list of an issuer's, about the day of noon; edit changes the template.
func revoke(t testing.TB, by *party, edit func(*x509.RevocationList), serials ...*big.Int) []byte {
	t.Helper()
	tmpl := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: noon.Add(-time.Hour), NextUpdate: noon.Add(time.Hour)}
	for _, s := range serials {
		tmpl.RevokedCertificateEntries = append(tmpl.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s, RevocationTime: noon.Add(-2 * time.Hour)})
	}
	if edit != nil {
		edit(tmpl)
	}
	// What the issuer may do is the verifier's to judge, not this helper's.
	issuer := *by.cert
	issuer.KeyUsage |= x509.KeyUsageCRLSign
	if issuer.SubjectKeyId == nil {
		issuer.SubjectKeyId = []byte{1}
	}
	der, err := x509.CreateRevocationList(rand.Reader, tmpl, &issuer, by.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func parseList(t testing.TB, der []byte) *RevocationList {
	t.Helper()
	l, err := ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func crlSigner(c *x509.Certificate) {
	ca(c)
	c.KeyUsage |= x509.KeyUsageCRLSign
}

func extra(oid asn1.ObjectIdentifier, critical bool, value ...byte) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: oid, Critical: critical, Value: value}}
	}
}

func TestRevocationLists(t *testing.T) {
	root := issue(t, "Root", nil, crlSigner)
	middle := issue(t, "Middle", root, crlSigner)
	leaf := issue(t, "leaf", middle, nil)
	serial, other := leaf.cert.SerialNumber, big.NewInt(7)
	twin := issue(t, "Middle", nil, crlSigner)
	plain := issue(t, "Plain", root, ca)
	ofPlain := issue(t, "of plain", plain, nil)
	alone := issue(t, "alone", nil, nil)
	entry := func(e x509.RevocationListEntry) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			e.SerialNumber, e.RevocationTime = serial, noon.Add(-time.Hour)
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, e)
		}
	}
	at := func(from, to time.Duration) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = noon.Add(from), noon.Add(to) }
	}
	chain := certs(leaf, middle)
	for _, c := range []struct {
		name  string
		lists [][]byte
		sent  []*x509.Certificate
		want  string
	}{
		{"not on it", [][]byte{revoke(t, middle, nil, other)}, chain, ""},
		{"on it", [][]byte{revoke(t, middle, nil, other, serial)}, chain, "certificate revoked"},
		{"no list", nil, chain, "unable to get certificate CRL"},
		{"only the root's", [][]byte{revoke(t, root, nil)}, chain, "unable to get certificate CRL"},
		{"expired", [][]byte{revoke(t, middle, at(-2*time.Hour, -time.Hour))}, chain, "CRL has expired"},
		{"expired this second", [][]byte{revoke(t, middle, at(-2*time.Hour, 0))}, chain, "CRL has expired"},
		{"not yet valid", [][]byte{revoke(t, middle, at(time.Hour, 2*time.Hour))}, chain, "CRL is not yet valid"},
		{"the newest decides", [][]byte{revoke(t, middle, at(-2*time.Hour, time.Hour)), revoke(t, middle, at(-time.Hour, time.Hour), serial)}, chain, "certificate revoked"},
		{"in either order", [][]byte{revoke(t, middle, at(-time.Hour, time.Hour)), revoke(t, middle, at(-2*time.Hour, time.Hour), serial)}, chain, ""},
		{"an expired one does not decide", [][]byte{revoke(t, middle, at(-2*time.Hour, time.Hour)), revoke(t, middle, at(-time.Hour, 0), serial)}, chain, ""},
		{"of a CA of the same name", [][]byte{revoke(t, twin, nil)}, chain, "unable to get certificate CRL"},
		{"spoilt", [][]byte{spoil(revoke(t, middle, nil))}, chain, "CRL signature failure"},
		{"removed again", [][]byte{revoke(t, middle, entry(x509.RevocationListEntry{ReasonCode: removeFromCRL}))}, chain, ""},
		{"on hold", [][]byte{revoke(t, middle, entry(x509.RevocationListEntry{ReasonCode: 6}))}, chain, "certificate revoked"},
		{"an entry's unknown critical extension", [][]byte{revoke(t, middle, func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: other, RevocationTime: noon,
				ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}})
		})}, chain, "unhandled critical CRL extension"},
		{"an unknown critical extension", [][]byte{revoke(t, middle, extra(asn1.ObjectIdentifier{1, 2, 3}, true, 5, 0))}, chain, "unhandled critical CRL extension"},
		{"an unknown extension", [][]byte{revoke(t, middle, extra(asn1.ObjectIdentifier{1, 2, 3}, false, 5, 0))}, chain, ""},
		{"a delta alone", [][]byte{revoke(t, middle, extra(oidDeltaCRL, true, 2, 1, 1))}, chain, "unable to get certificate CRL"},
		{"indirect", [][]byte{revoke(t, middle, extra(oidIssuingPoint, true, 0x30, 3, 0x84, 1, 0xff))}, chain, "unable to get certificate CRL"},
		{"for CAs only", [][]byte{revoke(t, middle, extra(oidIssuingPoint, true, 0x30, 3, 0x82, 1, 0xff))}, chain, "different CRL scope"},
		{"for attributes only", [][]byte{revoke(t, middle, extra(oidIssuingPoint, true, 0x30, 3, 0x85, 1, 0xff))}, chain, "different CRL scope"},
		{"for some reasons", [][]byte{revoke(t, middle, extra(oidIssuingPoint, true, 0x30, 4, 0x83, 2, 6, 0x40))}, chain, "unable to get certificate CRL"},
		{"for users only", [][]byte{revoke(t, middle, extra(oidIssuingPoint, true, 0x30, 3, 0x81, 1, 0xff))}, chain, ""},
		{"a usable one beside another", [][]byte{revoke(t, middle, extra(oidIssuingPoint, true, 0x30, 3, 0x82, 1, 0xff)), revoke(t, middle, nil, serial)}, chain, "certificate revoked"},
		{"the issuer may not sign lists", [][]byte{revoke(t, plain, nil)}, certs(ofPlain, plain), "key usage does not include CRL signing"},
		{"a listed self-signed one", [][]byte{revoke(t, root, nil)}, certs(alone), "unable to get certificate CRL"},
		{"which revokes itself", [][]byte{revoke(t, alone, nil, alone.cert.SerialNumber)}, certs(alone), "certificate revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &Verifier{Server: true, Chain: true, now: func() time.Time { return noon }}
			v.SetTrusted(certs(root, alone))
			var lists []*RevocationList
			for _, der := range c.lists {
				lists = append(lists, parseList(t, der))
			}
			v.SetLists(lists)
			for range 2 { // the second time the signature is known
				reason := ""
				var e *Error
				if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: c.sent}, nil); errors.As(err, &e) {
					reason = e.Reason
				}
				if reason != c.want {
					t.Errorf("got %q, want %q", reason, c.want)
				}
			}
		})
	}
}

// spoil changes the last byte, which is the signature's.
func spoil(der []byte) []byte {
	der[len(der)-1] ^= 1
	return der
}

// TestStrangersAreNotHashedFor has a peer send a CA that only has the name and key
// identifier of the one whose list there is: its signatures are bad, and the list, which
// may have megabytes, is not hashed to find out whether it is this CA's.
func TestStrangersAreNotHashedFor(t *testing.T) {
	root := issue(t, "Root", nil, crlSigner)
	middle := issue(t, "Middle", root, crlSigner)
	forged := issue(t, "Middle", issue(t, "Root", nil, crlSigner), func(c *x509.Certificate) {
		crlSigner(c)
		c.SubjectKeyId = middle.cert.SubjectKeyId
		c.AuthorityKeyId = root.cert.SubjectKeyId
	})
	leaf := issue(t, "leaf", forged, nil)
	list := parseList(t, revoke(t, middle, nil, leaf.cert.SerialNumber))
	v := &Verifier{Server: true, Chain: true, now: func() time.Time { return noon }}
	v.SetTrusted(certs(root))
	v.SetLists([]*RevocationList{list})
	var e *Error
	if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf, forged)}, nil); !errors.As(err, &e) || e.Depth != 1 || e.Reason == "CRL signature failure" {
		t.Errorf("got %v", err)
	}
}

// TestUnlistedAreNotHashedFor is the same where no chain is asked for: the CA of the peer's own
// signs well, and its certificate is not one of those that are listed.
func TestUnlistedAreNotHashedFor(t *testing.T) {
	middle := issue(t, "Middle", nil, crlSigner)
	forged := issue(t, "Middle", nil, func(c *x509.Certificate) {
		crlSigner(c)
		c.SubjectKeyId = middle.cert.SubjectKeyId
	})
	leaf := issue(t, "leaf", forged, nil)
	v := &Verifier{Server: true, Peer: true, now: func() time.Time { return noon }}
	v.SetTrusted(certs(issue(t, "leaf", middle, nil)))
	v.SetLists([]*RevocationList{parseList(t, revoke(t, middle, nil))})
	var e *Error
	err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf, forged)}, nil)
	if !errors.As(err, &e) || e.Reason != "certificate not found in local repository" {
		t.Errorf("got %v", err)
	}
}

// TestABadListIsHashedOnce asks twice whether a list is an authority's, and the second time
// it would be: whoever comes again and again with a certificate of that authority must not
// have megabytes hashed each time.
func TestABadListIsHashedOnce(t *testing.T) {
	root := issue(t, "Root", nil, crlSigner)
	n, err := newNode(root.cert)
	if err != nil {
		t.Fatal(err)
	}
	der := revoke(t, root, nil)
	good := parseList(t, der)
	bad := parseList(t, spoil(bytes.Clone(der)))
	if !good.signed(n) || bad.signed(n) {
		t.Fatal("signatures are misjudged")
	}
	bad.list.Signature = good.list.Signature
	if bad.signed(n) {
		t.Error("the list was hashed again")
	}
	another, err := newNode(issue(t, "Root", nil, crlSigner).cert)
	if err != nil {
		t.Fatal(err)
	}
	if good.signed(another) || !good.signed(n) || bad.signed(another) {
		t.Error("one key's answer is given for another")
	}
}

// TestDamagedListsAreNoLists has the newer of two lists be cut, or have a letter that is none.
func TestDamagedListsAreNoLists(t *testing.T) {
	root := issue(t, "Root", nil, crlSigner)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: revoke(t, root, nil)}))
	for name, data := range map[string]string{
		"cut":              text + text[:len(text)/2],
		"cut first":        text[:len(text)/2] + "\n" + text,
		"a letter is none": strings.Replace(text, "\nMI", "\nM!", 1) + text,
	} {
		if lists, err := ParseRevocationLists([]byte(data)); err == nil {
			t.Errorf("%s: %d lists", name, len(lists))
		}
	}
	if lists, err := ParseRevocationLists([]byte("words\n" + text + "words\n" + text)); err != nil || len(lists) != 2 {
		t.Errorf("%d lists, %v", len(lists), err)
	}
}

// TestHashedDirectories puts certificates and lists into a directory after the Verifier
// was made, takes them away again, and lays traps.
func TestHashedDirectories(t *testing.T) {
	dir := t.TempDir()
	root := issue(t, "Root", nil, crlSigner)
	leaf := issue(t, "leaf", root, nil)
	v := &Verifier{Server: true, Chain: true, now: func() time.Time { return noon }}
	v.SetDirectory(dir)
	want := func(step, reason string) {
		t.Helper()
		got := ""
		var e *Error
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf)}, nil); errors.As(err, &e) {
			got = e.Reason
		}
		if got != reason {
			t.Errorf("%s: %q, want %q", step, got, reason)
		}
	}
	put := func(name, kind string, ders ...[]byte) {
		t.Helper()
		var text []byte
		for _, der := range ders {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	number, err := Hash(root.cert.RawSubject)
	if err != nil {
		t.Fatal(err)
	}
	file := hashName(number, "")
	want("empty", "unable to get local issuer certificate")
	put(file+"1", "CERTIFICATE", root.cert.Raw)
	want("a gap", "unable to get local issuer certificate")
	put(file+"0", "CERTIFICATE", issue(t, "Another", nil, ca).cert.Raw, leaf.cert.Raw)
	want("behind another of that hash", "")
	if err := os.Mkdir(filepath.Join(dir, file+"2"), 0o700); err != nil {
		t.Fatal(err)
	}
	want("before a directory", "")
	v.SetLists(nil, dir)
	want("no list", "unable to get certificate CRL")
	lists := hashName(number, "r")
	put(lists+"0", "X509 CRL", revoke(t, root, nil))
	want("a list", "")
	put(lists+"1", "X509 CRL", revoke(t, root, func(l *x509.RevocationList) { l.ThisUpdate = noon.Add(-time.Minute) }, leaf.cert.SerialNumber))
	want("a newer list", "certificate revoked")
	put(lists+"1", "X509 CRL", []byte("nonsense"))
	want("which is spoilt", "")
	for _, name := range []string{file + "0", file + "1"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	want("removed", "unable to get local issuer certificate")
}

// BenchmarkCheckWithList verifies a chain with a list of 100000 entries and without, and
// the look-up alone, which is what a list adds to a handshake.
func BenchmarkCheckWithList(b *testing.B) {
	root := issue(b, "Root", nil, crlSigner)
	leaf := issue(b, "leaf", root, nil)
	serials := make([]*big.Int, 100_000)
	for i := range serials {
		serials[i] = new(big.Int).Add(big.NewInt(int64(i)), new(big.Int).Lsh(big.NewInt(1), 120))
	}
	der := revoke(b, root, nil, serials...)
	state := tls.ConnectionState{PeerCertificates: certs(leaf)}
	verifier := func() *Verifier {
		v := &Verifier{Server: true, Chain: true, Level: 2, now: func() time.Time { return noon }}
		v.SetTrusted(certs(root))
		return v
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			parseList(b, der)
		}
	})
	with := verifier()
	with.SetLists([]*RevocationList{parseList(b, der)})
	for name, v := range map[string]*Verifier{"chain": verifier(), "chain and list": with} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := v.Check(b.Context(), state, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("list", func(b *testing.B) {
		p := &path{untrusted: 1}
		for _, c := range certs(leaf, root) {
			n, err := newNode(c)
			if err != nil {
				b.Fatal(err)
			}
			p.certs = append(p.certs, n)
		}
		for b.Loop() {
			if reason := with.crls.judge(p, noon); reason != "" {
				b.Fatal(reason)
			}
		}
	})
}

// FuzzRevocationList wants every list that is read to answer for any serial number.
func FuzzRevocationList(f *testing.F) {
	root := issue(f, "Root", nil, crlSigner)
	f.Add(revoke(f, root, nil, big.NewInt(1), big.NewInt(300)))
	f.Add(revoke(f, root, extra(oidIssuingPoint, true, 0x30, 3, 0x82, 1, 0xff)))
	n, err := newNode(root.cert)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := ParseRevocationList(der)
		if err != nil {
			return
		}
		if l.signed(n) && l.issuer != n.subject {
			t.Errorf("the root signed a list of %x", l.issuer)
		}
		l.revokes(big.NewInt(1))
		l.current(noon)
	})
}
