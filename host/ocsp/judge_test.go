package ocsp

import (
	"bytes"
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"testing"
	"time"

	xocsp "golang.org/x/crypto/ocsp"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestJudge has one thing wrong with each response.
func TestJudge(t *testing.T) {
	p := newPKI(t)
	sent := newNonce()
	twin := issue(t, "Middle", p.root, ca) // the issuer's name, another key
	for _, c := range []struct {
		name  string
		edit  func(*reply)
		nonce []byte
		flags config.OCSPFlags
		want  Status
		err   string
	}{
		{name: "by the issuer", want: Good},
		{name: "by the issuer's key id", edit: func(r *reply) { r.byKey = true }, want: Good},
		{name: "the issuer's certificate comes along", edit: func(r *reply) { r.certs = []*party{p.middle} }, want: Good},
		{name: "revoked", edit: func(r *reply) { r.says = Revoked; r.reason = 1 }, want: Revoked},
		{name: "unknown", edit: func(r *reply) { r.says = Unknown }, want: Unknown},
		{name: "good and revoked", edit: func(r *reply) { r.twice = true }, want: Revoked},
		{name: "id by SHA-256", edit: func(r *reply) { r.hash = oidSHA256 }, want: Good},
		{name: "by a delegate", edit: func(r *reply) { r.by = p.delegate; r.certs = []*party{p.sibling, p.delegate} }, want: Good},
		{name: "by a delegate's key id", edit: func(r *reply) { r.by = p.delegate; r.byKey = true; r.certs = []*party{p.delegate} }, want: Good},
		{name: "a delegate that is not there", edit: func(r *reply) { r.by = p.delegate }, err: "signer certificate not found"},
		{name: "by a sibling", edit: func(r *reply) { r.by = p.sibling; r.certs = []*party{p.sibling} }, err: "missing ocspsigning usage"},
		{name: "by the certificate itself", edit: func(r *reply) { r.by = p.leaf; r.certs = []*party{p.leaf} }, err: "missing ocspsigning usage"},
		{name: "by an expired delegate", edit: func(r *reply) { r.by = p.old; r.certs = []*party{p.old} }, err: "the signer's certificate has expired"},
		{name: "by an early delegate", edit: func(r *reply) { r.by = p.early; r.certs = []*party{p.early} }, err: "the signer's certificate is not yet valid"},
		{name: "by the root's delegate", edit: func(r *reply) { r.by = p.foreign; r.certs = []*party{p.foreign} }, err: "the signer's certificate is not by the issuer"},
		{name: "by the root", edit: func(r *reply) { r.by = p.root; r.certs = []*party{p.root} }, err: "the signer's certificate is not by the issuer"},
		{name: "by another CA", edit: func(r *reply) { r.by = p.other; r.certs = []*party{p.other} }, err: "the signer's certificate is not by the issuer"},
		{name: "by the issuer's twin", edit: func(r *reply) { r.by = twin; r.certs = []*party{twin} }, err: "signature failure"},
		{name: "says that it is by the issuer", edit: func(r *reply) { r.by = p.sibling; r.names = p.middle }, err: "signature failure"},
		{name: "says that it is by the delegate", edit: func(r *reply) { r.by = p.sibling; r.names = p.delegate; r.certs = []*party{p.delegate} }, err: "signature failure"},
		{name: "spoilt", edit: func(r *reply) { r.spoil = true }, err: "signature failure"},
		{name: "SHA-1 signature", edit: func(r *reply) { r.algorithm = encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1} },
			err: "signature algorithm 1.2.840.10045.4.1 is not accepted"},
		{name: "another certificate", edit: func(r *reply) { r.serial = p.sibling.cert.SerialNumber }, err: "the response is not about this certificate"},
		{name: "the same serial of another CA", edit: func(r *reply) { r.issuer = p.other.cert }, err: "the response is not about this certificate"},
		{name: "the same serial of the issuer's twin", edit: func(r *reply) { r.issuer = twin.cert }, err: "the response is not about this certificate"},
		{name: "critical extension", edit: func(r *reply) { r.critical = true }, err: "malformed response"},
		{name: "no nextUpdate", edit: func(r *reply) { r.next = time.Time{} }, want: Good},
		{name: "a day old, no nextUpdate", edit: func(r *reply) { r.this, r.next = noon.Add(-maxAge), time.Time{} }, want: Good},
		{name: "older, no nextUpdate", edit: func(r *reply) { r.this, r.next = noon.Add(-maxAge-time.Second), time.Time{} }, err: "status too old"},
		{name: "older, no nextUpdate, nonce", nonce: sent, edit: func(r *reply) { r.this, r.next, r.nonce = noon.Add(-2*maxAge), time.Time{}, sent }, want: Good},
		{name: "older, no nextUpdate, revoked", edit: func(r *reply) { r.this, r.next, r.says = noon.Add(-2*maxAge), time.Time{}, Revoked }, want: Revoked},
		{name: "just expired", edit: func(r *reply) { r.next = noon.Add(-slack) }, want: Good},
		{name: "expired", edit: func(r *reply) { r.next = noon.Add(-slack - time.Second) }, err: "status expired"},
		{name: "just valid", edit: func(r *reply) { r.this = noon.Add(slack) }, want: Good},
		{name: "not yet valid", edit: func(r *reply) { r.this = noon.Add(slack + time.Second) }, err: "status not yet valid"},
		{name: "backwards", edit: func(r *reply) { r.this, r.next = noon, noon.Add(-time.Second) }, err: "nextupdate before thisupdate"},
		{name: "nonce", nonce: sent, edit: func(r *reply) { r.nonce = sent }, want: Good},
		{name: "no nonce", nonce: sent, err: "Invalid or unsupported nonce"},
		{name: "wrong nonce", nonce: sent, edit: func(r *reply) { r.nonce = newNonce() }, err: "Invalid or unsupported nonce"},
		{name: "cut nonce", nonce: sent, edit: func(r *reply) { r.nonce = sent[:len(sent)-1] }, err: "Invalid or unsupported nonce"},
		{name: "nonce that was not asked for", edit: func(r *reply) { r.nonce = sent }, want: Good},
		{name: "malformed request", edit: func(r *reply) { r.status = 1 }, err: "Responder error: 1: malformedrequest"},
		{name: "unauthorized", edit: func(r *reply) { r.status = 6 }, err: "Responder error: 6: unauthorized"},
		{name: "status of no meaning", edit: func(r *reply) { r.status = 99 }, err: "Responder error: 99: (UNKNOWN)"},

		{name: "NOINTERN, delegate", flags: config.OCSPNoIntern, edit: func(r *reply) { r.by = p.delegate; r.certs = []*party{p.delegate} }, err: "signer certificate not found"},
		{name: "NOINTERN, issuer", flags: config.OCSPNoIntern, want: Good},
		{name: "NOSIGS, spoilt", flags: config.OCSPNoSigs, edit: func(r *reply) { r.spoil = true }, want: Good},
		{name: "NOSIGS, sibling", flags: config.OCSPNoSigs, edit: func(r *reply) { r.by = p.sibling; r.certs = []*party{p.sibling} }, err: "missing ocspsigning usage"},
		{name: "NOVERIFY, stranger", flags: config.OCSPNoVerify, edit: func(r *reply) { r.by = p.other; r.certs = []*party{p.other} }, want: Good},
		{name: "NOVERIFY, spoilt", flags: config.OCSPNoVerify, edit: func(r *reply) { r.by = p.other; r.certs = []*party{p.other}; r.spoil = true }, err: "signature failure"},
		{name: "NOCHECKS, sibling", flags: config.OCSPNoChecks, edit: func(r *reply) { r.by = p.sibling; r.certs = []*party{p.sibling} }, want: Good},
		{name: "NOCHECKS, root", flags: config.OCSPNoChecks, edit: func(r *reply) { r.by = p.root }, want: Good},
		{name: "NOCHECKS, root's delegate", flags: config.OCSPNoChecks, edit: func(r *reply) { r.by = p.foreign; r.certs = []*party{p.foreign} }, want: Good},
		{name: "NOCHECKS, expired", flags: config.OCSPNoChecks, edit: func(r *reply) { r.by = p.old; r.certs = []*party{p.old} }, err: "the signer's certificate has expired"},
		{name: "NOCHECKS, stranger", flags: config.OCSPNoChecks, edit: func(r *reply) { r.by = p.other; r.certs = []*party{p.other} }, err: "the signer's certificate is not by the issuer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := judge(p.newReply(c.edit).make(t), p.question(), c.nonce, c.flags, noon, slack)
			switch {
			case c.err != "":
				if err == nil || err.Error() != c.err {
					t.Errorf("%v, want %s", err, c.err)
				}
			case err != nil:
				t.Error(err)
			case a.Status != c.want:
				t.Errorf("%v, want %v", a.Status, c.want)
			}
		})
	}
}

// TestManySigners has the right certificate behind more than are looked at.
func TestManySigners(t *testing.T) {
	p := newPKI(t)
	for n, good := range map[int]bool{maxSigners - 1: true, maxSigners: false} {
		r := p.newReply(func(r *reply) { r.by = p.delegate })
		for range n {
			r.certs = append(r.certs, p.sibling)
		}
		r.certs = append(r.certs, p.delegate)
		if _, err := judge(r.make(t), p.question(), nil, 0, noon, slack); (err == nil) != good {
			t.Errorf("behind %d certificates: %v", n, err)
		}
	}
}

// TestAgainstLibrary compares requests and responses with golang.org/x/crypto/ocsp, which
// has nonces nowhere and checks no signer's usage.
func TestAgainstLibrary(t *testing.T) {
	p := newPKI(t)
	q := p.question()
	ours, err := q.request(nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := xocsp.CreateRequest(p.leaf.cert, p.middle.cert, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs) {
		t.Errorf("the request is\n%x, not\n%x", ours, theirs)
	}
	withNonce, err := q.request(newNonce())
	if err != nil {
		t.Fatal(err)
	}
	if read, err := xocsp.ParseRequest(withNonce); err != nil || read.SerialNumber.Cmp(p.leaf.cert.SerialNumber) != 0 {
		t.Errorf("%+v, %v", read, err)
	}
	for status, want := range map[int]Status{xocsp.Good: Good, xocsp.Revoked: Revoked, xocsp.Unknown: Unknown} {
		made, err := xocsp.CreateResponse(p.middle.cert, p.delegate.cert, xocsp.Response{
			Status: status, SerialNumber: p.leaf.cert.SerialNumber, ThisUpdate: noon, NextUpdate: noon.Add(time.Hour),
			RevokedAt: noon.Add(-time.Hour), RevocationReason: xocsp.Superseded, Certificate: p.delegate.cert,
		}, p.delegate.key)
		if err != nil {
			t.Fatal(err)
		}
		a, err := judge(made, q, nil, 0, noon, slack)
		if err != nil || a.Status != want || !a.NextUpdate.Equal(noon.Add(time.Hour)) || want == Revoked && a.Reason != 4 {
			t.Errorf("%v: %+v, %v", want, a, err)
		}
	}
}

func TestRevocationWords(t *testing.T) {
	for reason, want := range map[int]string{-1: "OCSP: Certificate revoked", 1: "OCSP: Certificate revoked: 1: keyCompromise", 77: "OCSP: Certificate revoked: 77: (UNKNOWN)"} {
		if got := (&Answer{Reason: reason}).revocation(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// FuzzJudge changes responses: nothing that is believed may say anything but what one of
// those said that the issuer signed.
func FuzzJudge(f *testing.F) {
	p := newPKI(f)
	q := p.question()
	signed := map[string]Status{}
	for _, edit := range []func(*reply){
		nil,
		func(r *reply) { r.says = Revoked; r.reason = 1 },
		func(r *reply) { r.says = Unknown },
		func(r *reply) { r.by = p.delegate; r.certs = []*party{p.delegate} },
		func(r *reply) { r.nonce = newNonce(); r.byKey = true },
		func(r *reply) { r.twice = true },
	} {
		raw := p.newReply(edit).make(f)
		read, err := parse(raw)
		if err != nil {
			f.Fatal(err)
		}
		signed[string(read.tbs)] = read.about(q).Status
		f.Add(raw)
	}
	// Signed by those who may not.
	f.Add(p.newReply(func(r *reply) { r.by = p.sibling; r.certs = []*party{p.sibling} }).make(f))
	f.Add(p.newReply(func(r *reply) { r.by = p.other }).make(f))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := judge(raw, q, nil, 0, noon, slack)
		if err != nil {
			return
		}
		read, err := parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		said, known := signed[string(read.tbs)]
		if !known || said != a.Status {
			t.Errorf("%v is believed, signed was %v (%v)", a.Status, said, known)
		}
	})
}

// TestPublicKeyBits has certificates of all key types in use.
func TestPublicKeyBits(t *testing.T) {
	if _, err := publicKeyBits(&x509.Certificate{RawSubjectPublicKeyInfo: []byte{0x30, 0}}); err == nil {
		t.Error("a key without contents passes")
	}
}
