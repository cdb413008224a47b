// Package verify judges a TLS peer's certificate as a service's options ask.
//
// crypto/tls is always told to accept any certificate, and a Verifier's Check
// runs in its VerifyConnection: on full handshakes and on resumed ones alike, so
// a session ticket never outlives the trust that it was given under.
//
// The way from the peer's certificate up to a trusted one is found and judged as
// OpenSSL does (path.go, usage.go, level.go, constraints.go): one path, a root that is
// checked too, reasons at OpenSSL's depths. crypto/x509 reads certificates and checks
// signatures here, and does not verify chains: it takes any listed certificate for an
// anchor, tries several paths, and looks neither at a root's own fields nor at subjects.
package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// An Error says why a certificate was rejected, in OpenSSL's words where it has
// some, since operators look for them.
type Error struct {
	Reason  string            // "self-signed certificate", "certificate has expired", ...
	Depth   int               // of the certificate that the reason is about; 0 is the peer's own
	Cert    *x509.Certificate // nil when the peer sent none
	Subject bool              // the chain is good, the name is another
}

func (e *Error) Error() string {
	if e.Cert == nil {
		return e.Reason
	}
	return fmt.Sprintf("certificate verify failed: %s at depth=%d: %s", e.Reason, e.Depth, Name(e.Cert.Subject))
}

// ErrNoCertificate is the error when a certificate is required and none came.
var ErrNoCertificate = &Error{Reason: "peer did not return a certificate"}

// A Revocation finds out whether certificates of a good chain were revoked since.
type Revocation interface {
	// Check gets the chain, from the peer's own certificate to the anchor, and the
	// OCSP response that the peer stapled, if any. It is called on resumption too, and
	// may ask others until ctx ends. Its errors are *Error.
	Check(ctx context.Context, chain []*x509.Certificate, staple []byte, log *logging.Logger) error
}

// A Verifier holds what a service trusts. The zero value accepts everything. Its fields
// and what the Set methods tell are not changed once it is in use; then it is safe for
// concurrent use.
type Verifier struct {
	Server  bool // the peer is a server
	Require bool // a certificate must come
	Chain   bool // its chain must lead to an anchor
	Peer    bool // CAfile or CApath must hold a certificate of the same subject and key

	// Names of which the peer's certificate must have one. The lists are alternatives, one
	// match in any is enough; where all are empty any name will do.
	Hosts  []string // checkHost
	Emails []string // checkEmail
	IPs    []string // checkIP; what is no address never matches

	// Level is OpenSSL's security level, 0 to 5, that keys and signatures of the chain
	// must reach. 0 asks nothing.
	Level int

	// Revocation is asked last, about the chain that was found; nil: nobody is.
	Revocation Revocation

	store store
	crls  *crlSource // nil: no list is asked for
	now   func() time.Time
}

// SetTrusted tells the certificates of CAfile. Only self-signed ones are trust anchors
// for chains. Those whose names cannot be read are left out.
func (v *Verifier) SetTrusted(certs []*x509.Certificate) {
	v.store.listed = map[string][]*node{}
	for _, c := range certs {
		if n, err := newNode(c); err == nil {
			v.store.listed[n.subject] = append(v.store.listed[n.subject], n)
		}
	}
}

// Reject tells certificates of CAfile that the operator distrusts by OpenSSL's settings. No
// chain leads through them, also where a peer sends another copy: ours are looked for first.
func (v *Verifier) Reject(certs []*x509.Certificate) {
	v.store.rejected = map[string][]*node{}
	for _, c := range certs {
		if n, err := newNode(c); err == nil {
			n.rejected = true
			v.store.rejected[n.subject] = append(v.store.rejected[n.subject], n)
		}
	}
}

// SetDirectory tells CApath: certificates are looked for in its files HHHHHHHH.N when a
// handshake needs them.
func (v *Verifier) SetDirectory(path string) {
	v.store.directory = &hashedDirectory[*node]{path: path, parse: parseCertificates}
}

// SetLists tells the lists of CRLfile and the directories with files HHHHHHHH.rN,
// which are CRLpath and, as in OpenSSL, CApath. From then on a certificate without a valid
// list is refused.
func (v *Verifier) SetLists(lists []*RevocationList, directories ...string) {
	r := &crlSource{listed: map[string][]*RevocationList{}}
	for _, l := range lists {
		r.listed[l.issuer] = append(r.listed[l.issuer], l)
	}
	for _, d := range directories {
		r.directories = append(r.directories, &hashedDirectory[*RevocationList]{path: d, infix: "r", parse: parseHashedLists})
	}
	v.crls = r
}

// Asks tells whether there is anything to check.
func (v *Verifier) Asks() bool { return v.Require || v.Verifies() }

// Verifies tells whether a certificate that comes is judged.
func (v *Verifier) Verifies() bool { return v.Chain || v.Peer }

// Check judges the certificates of one connection, and tells in its log what an operator
// wants to know beside the verdict. ctx bounds what is asked of others meanwhile. Its
// errors are *Error.
func (v *Verifier) Check(ctx context.Context, cs tls.ConnectionState, log *logging.Logger) error {
	if len(cs.PeerCertificates) == 0 {
		if v.Require {
			return ErrNoCertificate
		}
		return nil
	}
	if !v.Verifies() {
		log.Infof("Certificate verification disabled")
		return nil
	}
	j := &judgement{Verifier: v, log: log, time: time.Now(), version: cs.Version}
	if v.now != nil {
		j.time = v.now()
	}
	if err := j.run(cs.PeerCertificates); err != nil {
		return err
	}
	if v.Revocation != nil {
		chain := make([]*x509.Certificate, len(j.path.certs))
		for i, n := range j.path.certs {
			chain[i] = n.Certificate
		}
		if err := v.Revocation.Check(ctx, chain, cs.OCSPResponse, log); err != nil {
			return err
		}
	}
	j.accepted(0)
	return nil
}
