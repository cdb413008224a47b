package ocsp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	encoding_asn1 "encoding/asn1"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// noon is the time of all tests here. Certificates are good on its day.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// A party is a certificate with its key.
type party struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; edit changes the template. A nil issuer makes it self-signed.
func issue(t testing.TB, name string, by *party, edit func(*x509.Certificate)) *party {
	t.Helper()
	key := testpeer.Key(t)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: noon.Add(-12 * time.Hour), NotAfter: noon.Add(12 * time.Hour),
	}
	if edit != nil {
		edit(tmpl)
	}
	if by == nil {
		by = &party{tmpl, key}
	}
	return &party{testpeer.Sign(t, tmpl, key, by.cert, by.key), key}
}

func ca(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

// responder is the usage of a delegated responder.
func responder(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }

// names has a certificate name responders.
func names(urls ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.OCSPServer = urls }
}

// A pki is an authority of three levels with responders of every kind.
type pki struct {
	root, middle, leaf, sibling, other *party
	delegate, old, early, foreign      *party // responders' certificates
}

func newPKI(t testing.TB) *pki {
	p := &pki{root: issue(t, "Root", nil, ca)}
	p.middle = issue(t, "Middle", p.root, ca)
	p.leaf = issue(t, "leaf", p.middle, nil)
	p.sibling = issue(t, "sibling", p.middle, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	p.delegate = issue(t, "delegate", p.middle, responder)
	p.old = issue(t, "old", p.middle, func(c *x509.Certificate) { responder(c); c.NotAfter = noon.Add(-time.Second) })
	p.early = issue(t, "early", p.middle, func(c *x509.Certificate) { responder(c); c.NotBefore = noon.Add(time.Second) })
	p.other = issue(t, "Other", nil, ca)
	p.foreign = issue(t, "foreign", p.root, responder)
	return p
}

func (p *pki) chain() []*x509.Certificate {
	return []*x509.Certificate{p.leaf.cert, p.middle.cert, p.root.cert}
}

func (p *pki) question() *question { return questionAt(p.chain(), 0) }

// A reply is a response to make, with everything that can be wrong with one. newReply
// makes a good one.
type reply struct {
	status    int64  // OCSPResponseStatus
	by        *party // who signs
	names     *party // whom the responder id names
	byKey     bool   // by the key's hash, not by name
	certs     []*party
	issuer    *x509.Certificate // in the certificate id
	serial    *big.Int
	hash      encoding_asn1.ObjectIdentifier
	says      Status
	reason    int64 // -1: none
	this      time.Time
	next      time.Time // zero: none
	nonce     []byte
	critical  bool // an unknown critical extension
	algorithm encoding_asn1.ObjectIdentifier
	spoil     bool // the signature
	twice     bool // a second answer, "revoked"
}

func (p *pki) newReply(edit func(*reply)) *reply {
	r := &reply{
		by: p.middle, issuer: p.middle.cert, serial: p.leaf.cert.SerialNumber, hash: oidSHA1, says: Good, reason: -1,
		this: noon.Add(-time.Hour), next: noon.Add(time.Hour),
		algorithm: encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2},
	}
	if edit != nil {
		edit(r)
	}
	if r.names == nil {
		r.names = r.by
	}
	return r
}

// make encodes and signs.
func (r *reply) make(t testing.TB) []byte {
	t.Helper()
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(r.status)
		if r.status != 0 {
			return
		}
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasic)
				b.AddASN1OctetString(r.basic(t))
			})
		})
	})
	return bytesOf(t, b)
}

func (r *reply) basic(t testing.TB) []byte {
	data := r.data(t)
	sum := sha256.Sum256(data)
	sig, err := ecdsa.SignASN1(rand.Reader, r.by.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if r.spoil {
		sig[len(sig)-1] ^= 1
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(data)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(r.algorithm) })
		b.AddASN1BitString(sig)
		if len(r.certs) > 0 {
			b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, c := range r.certs {
						b.AddBytes(c.cert.Raw)
					}
				})
			})
		}
	})
	return bytesOf(t, b)
}

func (r *reply) data(t testing.TB) []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if r.byKey {
			key, err := publicKeyBits(r.names.cert)
			if err != nil {
				t.Fatal(err)
			}
			b.AddASN1(explicit2, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest(crypto.SHA1, key)) })
		} else {
			b.AddASN1(explicit1, func(b *cryptobyte.Builder) { b.AddBytes(r.names.cert.RawSubject) })
		}
		b.AddASN1GeneralizedTime(r.this)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			r.single(t, b, r.says)
			if r.twice {
				r.single(t, b, Revoked)
			}
		})
		if r.nonce != nil {
			addNonce(b, asn1.Tag(1), r.nonce)
		}
	})
	return bytesOf(t, b)
}

func (r *reply) single(t testing.TB, b *cryptobyte.Builder, says Status) {
	key, err := publicKeyBits(r.issuer)
	if err != nil {
		t.Fatal(err)
	}
	h := crypto.SHA1
	for _, known := range hashes {
		if known.oid.Equal(r.hash) {
			h = known.hash
		}
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addCertID(b, r.hash, digest(h, r.issuer.RawSubject), digest(h, key), r.serial)
		switch says {
		case Good:
			b.AddASN1(implicit0, func(*cryptobyte.Builder) {})
		case Revoked:
			b.AddASN1(explicit1, func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(noon.Add(-2 * time.Hour))
				if r.reason >= 0 {
					b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1Enum(r.reason) })
				}
			})
		default:
			b.AddASN1(implicit2, func(*cryptobyte.Builder) {})
		}
		b.AddASN1GeneralizedTime(r.this)
		if !r.next.IsZero() {
			b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(r.next) })
		}
		if r.critical {
			b.AddASN1(explicit1, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(encoding_asn1.ObjectIdentifier{1, 2, 3})
						b.AddASN1Boolean(true)
						b.AddASN1OctetString([]byte{5, 0})
					})
				})
			})
		}
	})
}

func bytesOf(t testing.TB, b *cryptobyte.Builder) []byte {
	t.Helper()
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
