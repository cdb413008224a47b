package ocsp

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/url"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// A Checker finds out whether the certificates of a service's peers were revoked. It is
// safe for concurrent use, and keeps its answers to itself: what one service believes by
// its flags is nothing to another.
type Checker struct {
	conf     config.OCSP
	busy     time.Duration // for all that is asked about one peer
	url      *url.URL      // the configured responder; nil: none
	open     *poster       // for the configured responder
	guarded  *poster       // for those that certificates name
	answers  cache
	now      func() time.Time
	newNonce func() []byte
}

var _ verify.Revocation = (*Checker)(nil)

// New makes a Checker. All that it asks about one peer takes at most busy, which is
// TIMEOUTbusy's time for a handshake.
func New(conf config.OCSP, busy time.Duration) *Checker {
	c := &Checker{conf: conf, busy: busy, open: newPoster(false), guarded: newPoster(true), now: time.Now, newNonce: newNonce}
	if conf.URL != "" {
		c.url, _ = config.ResponderURL(conf.URL) // checked when it was read
	}
	return c
}

// Check asks about every certificate of a chain but the anchor, as stunnel does: from the
// anchor down, and of each the staple (of the peer's own alone), the configured responder and
// those that it names, until one is conclusive. Where none is, OCSPrequire decides; where
// there is nobody to ask, the certificate is accepted.
func (c *Checker) Check(ctx context.Context, chain []*x509.Certificate, staple []byte, log *logging.Logger) error {
	if c.url == nil && !c.conf.AIA && len(staple) == 0 {
		return nil
	}
	k := &check{Checker: c, log: log, parent: ctx, chain: chain}
	defer k.end()
	log.Debugf("OCSP: Ignoring root certificate")
	for depth := len(chain) - 2; depth >= 0; depth-- {
		var stapled []byte
		if depth == 0 {
			stapled = staple
		}
		if reason := k.certificate(depth, stapled); reason != "" {
			log.Warnf("Rejected by OCSP at depth=%d: %s", depth, verify.Name(chain[depth].Subject))
			return &verify.Error{Reason: reason, Depth: depth, Cert: chain[depth]}
		}
	}
	return nil
}

// A check is what is asked about one peer.
type check struct {
	*Checker
	log    *logging.Logger
	chain  []*x509.Certificate
	parent context.Context
	ctx    context.Context // with the time that is left; nil until somebody is asked
	cancel context.CancelFunc
}

func (k *check) context() context.Context {
	if k.ctx == nil {
		k.ctx, k.cancel = context.WithTimeout(k.parent, k.busy)
	}
	return k.ctx
}

func (k *check) end() {
	if k.cancel != nil {
		k.cancel()
	}
}

// certificate gives the reason for which a certificate is refused, or none.
func (k *check) certificate(depth int, staple []byte) string {
	named := k.chain[depth].OCSPServer
	// A name that cannot be asked is a responder all the same: a certificate must not get
	// around being asked about by naming one that is not understood.
	asked := k.url != nil || k.conf.AIA && len(named) > 0
	status := Unknown
	if len(staple) > 0 {
		status = k.stapled(depth, staple)
		if status == Good && k.conf.Nonce && asked {
			// It may have been made before a revocation. Nonces are for who wants to know.
			status = Unknown
		}
	}
	if status == Unknown && k.url != nil {
		status = k.responder(depth, k.conf.URL, "configured")
	}
	if k.conf.AIA {
		for i := 0; i < min(len(named), maxResponders) && status == Unknown; i++ {
			status = k.responder(depth, named[i], "AIA")
		}
	}
	switch {
	case status == Revoked:
		return "certificate revoked"
	case status == Good || !asked:
		// Nobody asked to know: a server that staples something outdated is no worse than
		// one that staples nothing.
		return ""
	case k.conf.Require:
		k.log.Warnf("OCSP: Rejected (OCSPrequire = yes)")
		return "revocation status unknown"
	}
	k.log.Noticef("OCSP: Accepted (OCSPrequire = no)")
	return ""
}

// stapled looks at the response that the peer sent along.
func (k *check) stapled(depth int, staple []byte) Status {
	digest := sha256.Sum256(staple)
	id := keyOf(k.chain[depth], k.chain[depth+1], string(digest[:]))
	now := k.now()
	if a := k.answers.get(id, now); a != nil {
		return k.cached(a)
	}
	k.log.Debugf("OCSP: Stapled response received")
	if len(staple) > maxResponse {
		k.log.Errf("OCSP: the stapled response is longer than %d KiB", maxResponse>>10)
		return Unknown
	}
	a, err := judge(staple, questionAt(k.chain, depth), nil, k.conf.Flags, now, stapleSlack)
	if err != nil {
		// The peer's fault at most, and the responders may know better.
		k.log.Warnf("OCSP: Stapled response: %v", err)
		return Unknown
	}
	k.answers.put(id, a, now)
	return k.tell(a)
}

// responder asks one. With a nonce the answer is for this question alone.
func (k *check) responder(depth int, text, whose string) Status {
	id := keyOf(k.chain[depth], k.chain[depth+1], text)
	if !k.conf.Nonce {
		if a := k.answers.get(id, k.now()); a != nil {
			return k.cached(a)
		}
	}
	if k.context().Err() != nil {
		return Unknown
	}
	a, err := k.ask(id, questionAt(k.chain, depth), text, whose)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("s_poll_wait: TIMEOUTbusy exceeded")
		}
		k.log.Errf("OCSP: %v", err)
		return Unknown
	}
	k.log.Debugf("OCSP: Response received")
	return k.tell(a)
}

func (k *check) ask(id key, q *question, text, whose string) (*Answer, error) {
	u, by, err := k.reach(text, whose == "AIA")
	if err != nil {
		return nil, err
	}
	k.log.Noticef("OCSP: Connecting the %s responder \"%s\"", whose, u)
	if k.conf.Nonce {
		return k.fetch(k.context(), q, u, by, k.newNonce())
	}
	c := k.Checker // the question may outlive this check
	return c.answers.ask(k.context(), id, c.now, func(ctx context.Context) (*Answer, error) {
		return c.fetch(ctx, q, u, by, nil)
	})
}

// reach tells where and how an address is asked.
func (c *Checker) reach(text string, named bool) (*url.URL, *poster, error) {
	if len(text) > maxURL {
		return nil, nil, config.ErrResponder
	}
	u, err := config.ResponderURL(text)
	if err != nil {
		return nil, nil, err
	}
	if named && (c.url == nil || u.Host != c.url.Host) {
		return u, c.guarded, nil
	}
	return u, c.open, nil // the configuration says that a responder is there
}

// cached tells a kept answer. Below the level of one that was asked for: it is most of
// what a busy service hears, and nothing new.
func (k *check) cached(a *Answer) Status {
	switch {
	case a.Status == Revoked:
		k.log.Errf("%s", a.revocation())
	case k.log.Enabled(logging.Info):
		k.log.Infof("OCSP: Certificate accepted until %s", a.NextUpdate.UTC().Format(timeForm))
	}
	return a.Status
}

// timeForm is how OpenSSL prints times.
const timeForm = "Jan _2 15:04:05 2006 GMT"

// tell logs an answer in stunnel's words.
func (k *check) tell(a *Answer) Status {
	tell(k.log, a)
	switch a.Status {
	case Good:
		k.log.Noticef("OCSP: Certificate accepted")
	case Revoked:
		k.log.Errf("%s", a.revocation())
		k.log.Noticef("OCSP: Revoked at: %s", a.RevokedAt.UTC().Format(timeForm))
	default:
		k.log.Warnf("OCSP: Unknown verification status")
	}
	return a.Status
}

func tell(log *logging.Logger, a *Answer) {
	if !log.Enabled(logging.Info) {
		return
	}
	log.Infof("OCSP: Status: %v", a.Status)
	log.Infof("OCSP: This update: %s", a.ThisUpdate.UTC().Format(timeForm))
	if !a.NextUpdate.IsZero() {
		log.Infof("OCSP: Next update: %s", a.NextUpdate.UTC().Format(timeForm))
	}
}

// fetch asks one responder, within TIMEOUTocsp.
func (c *Checker) fetch(ctx context.Context, q *question, u *url.URL, by *poster, nonce []byte) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.conf.Timeout)
	defer cancel()
	raw, err := query(ctx, q, u, by, nonce)
	if err != nil {
		return nil, err
	}
	return judge(raw, q, nonce, c.conf.Flags, c.now(), slack)
}

// query sends a question and gives the response unchecked.
func query(ctx context.Context, q *question, u *url.URL, by *poster, nonce []byte) ([]byte, error) {
	body, err := q.request(nonce)
	if err != nil {
		return nil, err
	}
	return by.post(ctx, u, body)
}
