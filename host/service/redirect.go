package service

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// verify judges the peer of a handshake by a service's trust. Where the service redirects,
// a client that does not pass is let through the handshake, and from then on the
// connection is another's: it leads to no target but redirect's, no guest speaks with it,
// and no policy is asked, for those guard the service's own targets.
//
// A resumed session is verified again, so that its ticket need not tell how the first
// connection ended.
func (c *connection) verify(svc *Service, cs tls.ConnectionState) error {
	err := svc.tls.Verifier.Check(c.ctx, cs, c.log)
	var bad *verify.Error
	if svc.decoy == nil || !errors.As(err, &bad) {
		return err
	}
	if c.outgoing != nil {
		// A guest of somebody's own connected first. What it told the target was on behalf of
		// a client that may not be there.
		return fmt.Errorf("%w, and %s has connected already, so that redirect comes too late", err, c.svc.conf.Protocol)
	}
	if bad.Cert == nil { // what is wrong with one, the Verifier has said
		c.log.Infof("No peer certificate received")
	}
	c.redirected = true
	return nil
}

// takenOver tells whether the handshake ended what the running guest was there for.
func (c *connection) takenOver() bool { return c.redirected || c.handsOver() }

// dialDecoy connects a redirected client.
func (c *connection) dialDecoy() (net.Conn, error) {
	c.log.Noticef("Redirecting connection")
	decoy, err := c.from(c.chosen(), c.chosen().decoy)
	if err != nil {
		return nil, err
	}
	return decoy.Dial(c.ctx, c.log)
}

// taken says whether a negotiation ended because the connection goes on without it.
func taken(err error) bool {
	var g *guest.Error
	return errors.As(err, &g) && g.Kind == guest.KindCancelled && errors.Is(g, guest.ErrTaken)
}
