package ocsp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// judge checks a response to a question and gives what it says. Nonce is what was sent;
// nil: nothing was. Each check answers an attack:
//
//   - the nonce: a response from before the revocation, replayed;
//   - the signer: any certificate of the CA that answers for its siblings, a revoked
//     server's own among them;
//   - the signature: anybody on the way;
//   - the certificate id: the answer about another certificate;
//   - the times: a response from before the revocation, again.
func judge(raw []byte, q *question, nonce []byte, flags config.OCSPFlags, now time.Time, slack time.Duration) (*Answer, error) {
	r, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if nonce != nil && !bytes.Equal(r.nonce, nonce) {
		//lint:ignore ST1005 the words are stunnel's
		return nil, errors.New("Invalid or unsupported nonce")
	}
	signer, err := r.signer(q, flags, now)
	if err != nil {
		return nil, err
	}
	if flags&config.OCSPNoSigs == 0 {
		if err := r.verify(signer); err != nil {
			return nil, err
		}
	}
	a := r.about(q)
	if a == nil {
		return nil, errors.New("the response is not about this certificate")
	}
	if err := a.current(now, slack); err != nil {
		return nil, err
	}
	// Without an end of its own a response would be good for ever, and a server that was
	// revoked could staple one from before. A nonce shows that it was made just now.
	if a.Status == Good && a.NextUpdate.IsZero() && nonce == nil && now.Sub(a.ThisUpdate) > maxAge {
		return nil, errors.New("status too old")
	}
	return a, nil
}

// signer finds who signed, and that it may: the issuer itself, or a certificate that the
// issuer made for signing OCSP responses (RFC 6960, section 4.2.2.2).
func (r *response) signer(q *question, flags config.OCSPFlags, now time.Time) (*x509.Certificate, error) {
	known := []*x509.Certificate{q.issuer}
	if flags&config.OCSPNoChecks != 0 {
		known = append(known, q.above...)
	}
	for _, c := range known {
		if r.names(c) {
			return c, nil
		}
	}
	err := errors.New("signer certificate not found")
	if flags&config.OCSPNoIntern != 0 {
		return nil, err
	}
	for _, der := range r.signers {
		c, bad := x509.ParseCertificate(der)
		if bad != nil || !r.names(c) {
			continue
		}
		if flags&config.OCSPNoVerify != 0 {
			return c, nil
		}
		if err = delegated(c, known, flags, now); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// names tells whether a response says that it is by a certificate's holder.
func (r *response) names(c *x509.Certificate) bool {
	if r.name != nil {
		return bytes.Equal(r.name, c.RawSubject)
	}
	key, err := publicKeyBits(c)
	return err == nil && bytes.Equal(r.key, digest(crypto.SHA1, key))
}

// delegated checks a responder's own certificate against those that may have issued it.
func delegated(c *x509.Certificate, issuers []*x509.Certificate, flags config.OCSPFlags, now time.Time) error {
	issued := slices.ContainsFunc(issuers, func(by *x509.Certificate) bool {
		return bytes.Equal(c.RawIssuer, by.RawSubject) && c.CheckSignatureFrom(by) == nil
	})
	switch {
	case !issued:
		return errors.New("the signer's certificate is not by the issuer")
	case now.Before(c.NotBefore):
		return errors.New("the signer's certificate is not yet valid")
	case now.After(c.NotAfter):
		return errors.New("the signer's certificate has expired")
	case len(c.UnhandledCriticalExtensions) > 0:
		return errors.New("the signer's certificate has an unhandled critical extension")
	case flags&config.OCSPNoChecks == 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errors.New("missing ocspsigning usage")
	}
	return nil
}

func (r *response) verify(signer *x509.Certificate) error {
	for _, a := range algorithms {
		if a.oid.Equal(r.algorithm) {
			if err := signer.CheckSignature(a.x, r.tbs, r.signature); err != nil {
				return errors.New("signature failure")
			}
			return nil
		}
	}
	return fmt.Errorf("signature algorithm %v is not accepted", r.algorithm)
}

// about finds the answer to a question. Where a response has several, a revocation counts.
func (r *response) about(q *question) *Answer {
	var found *Answer
	for i := range r.singles {
		s := &r.singles[i]
		if q.asks(&s.id) && (found == nil || s.answer.Status == Revoked) {
			found = &s.answer
		}
	}
	return found
}

// current checks an answer's times.
func (a *Answer) current(now time.Time, slack time.Duration) error {
	switch {
	case a.ThisUpdate.After(now.Add(slack)):
		return errors.New("status not yet valid")
	case a.NextUpdate.IsZero():
		return nil
	case a.NextUpdate.Before(now.Add(-slack)):
		return errors.New("status expired")
	case a.NextUpdate.Before(a.ThisUpdate):
		return errors.New("nextupdate before thisupdate")
	}
	return nil
}
