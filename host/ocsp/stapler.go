package ocsp

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// When a Stapler asks again. stunnel asks every minute whatever the answer was.
const (
	retryAfter = time.Minute // after a failure, and at least between two questions
	renewAfter = time.Hour   // at most, so that a revocation shows
)

// A Stapler keeps a fresh response about a certificate of one's own. Run fetches it,
// Staple gives it; both may be called at once.
type Stapler struct {
	q       *question
	conf    config.OCSP
	urls    []*url.URL
	poster  *poster
	now     func() time.Time
	ask     func(ctx context.Context, u *url.URL) (*Answer, error) // fetch, but in tests
	current atomic.Pointer[Answer]                                 // nil: none yet
}

// NewStapler makes a Stapler, or gives nil when there is nobody to ask: the certificate
// names no responder and none is configured. Its own certificate may name one on this
// machine, unlike a peer's.
func NewStapler(leaf, issuer *x509.Certificate, conf config.OCSP) *Stapler {
	s := &Stapler{q: &question{cert: leaf, issuer: issuer}, conf: conf, poster: newPoster(false), now: time.Now}
	s.ask = s.fetch
	texts := leaf.OCSPServer
	if conf.URL != "" {
		texts = append(texts[:len(texts):len(texts)], conf.URL)
	}
	for _, text := range texts {
		if u, err := config.ResponderURL(text); err == nil {
			s.urls = append(s.urls, u)
		}
	}
	if len(s.urls) == 0 {
		return nil
	}
	return s
}

// Staple gives the response to staple now; nil: none. One that has expired would have
// strict clients refuse us, who would take us without any.
func (s *Stapler) Staple() []byte {
	a := s.current.Load()
	if a == nil || !s.now().Before(a.until()) {
		return nil
	}
	return a.raw
}

// until is how long an answer is stapled. One that is good at its time alone is renewed
// every minute, and forgotten when nobody renews it.
func (a *Answer) until() time.Time {
	if a.NextUpdate.IsZero() {
		return a.ThisUpdate.Add(renewAfter)
	}
	return a.NextUpdate
}

// Run fetches responses until ctx ends. What fails is logged and tried again; the
// service goes on without a staple meanwhile, as stunnel does.
func (s *Stapler) Run(ctx context.Context, log *logging.Logger) {
	timer := time.NewTimer(s.renew(ctx, log))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(s.renew(ctx, log))
		}
	}
}

// renew asks the responders in turn until one is conclusive, and tells when to ask again.
func (s *Stapler) renew(ctx context.Context, log *logging.Logger) (again time.Duration) {
	// A panic here may be a responder's doing, and would end everybody's connections.
	defer func() {
		if p := recover(); p != nil {
			log.Errf("OCSP: fault: %v", p)
			again = retryAfter
		}
	}()
	for _, u := range s.urls {
		log.Infof("OCSP: Connecting the responder \"%s\" for a response to staple", u)
		a, err := s.ask(ctx, u)
		switch {
		case ctx.Err() != nil:
			return retryAfter // which never comes
		case err != nil:
			log.Warnf("OCSP: No response to staple: %v", err)
			continue
		}
		tell(log, a)
		switch a.Status {
		case Revoked:
			log.Errf("%s", a.revocation())
		case Unknown:
			log.Warnf("OCSP: Unknown verification status")
			continue
		}
		s.current.Store(a)
		return s.pause(a)
	}
	return retryAfter
}

// pause is how long an answer is left alone: half of the time for which it is good, so that
// there are tries left when the responder is away.
func (s *Stapler) pause(a *Answer) time.Duration {
	if a.NextUpdate.IsZero() {
		return retryAfter
	}
	return min(max(a.NextUpdate.Sub(s.now())/2, retryAfter), renewAfter)
}

// fetch asks one responder, without a nonce: the response is for many. It is checked as
// strictly as our peers' should.
func (s *Stapler) fetch(ctx context.Context, u *url.URL) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.conf.Timeout)
	defer cancel()
	raw, err := query(ctx, s.q, u, s.poster, nil)
	if err != nil {
		return nil, err
	}
	a, err := judge(raw, s.q, nil, 0, s.now(), stapleSlack)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	a.raw = raw
	return a, nil
}
