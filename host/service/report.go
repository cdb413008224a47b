package service

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
	"github.com/stunnel-wasm/stunnel-wasm/host/tlsconf"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// This file words what happens to a connection as stunnel does, since operators'
// scripts match on it.

// logHandshake tells what was negotiated.
func (c *connection) logHandshake(cs tls.ConnectionState) {
	if !c.log.Enabled(logging.Info) {
		return
	}
	who := "accepted"
	if c.svc.conf.Client {
		who = "connected"
	}
	how := "new session negotiated"
	if cs.DidResume {
		how = "previous session reused"
	}
	if _, ok := c.tls.(*psk.Conn); ok {
		how = "PSK"
	}
	c.log.Infof("TLS %s: %s", who, how)
	name, bits := tlsconf.SuiteName(cs.CipherSuite)
	c.log.Infof("%s ciphersuite: %s (%d-bit encryption)", tlsconf.VersionName(cs.Version), name, bits)
	if cs.CurveID != 0 {
		c.log.Infof("Peer temporary key: %s", cs.CurveID)
	}
}

// logSNI tells the server name that a client service sends.
func (c *connection) logSNI() {
	if sni := c.svc.tls.SNI; sni != "" {
		c.log.Infof("SNI: sending servername: %s", sni)
	} else {
		c.log.Infof("SNI: extension disabled")
	}
}

// report logs why a connection was not established.
func (c *connection) report(err error) {
	var failed *stageError
	if !errors.As(err, &failed) {
		c.log.Errf("%v", err)
		return
	}
	switch failed.stage {
	case stageTLS:
		c.reportTLS(failed.err)
	case stageGuest:
		c.reportGuest(failed.err)
	case stageConnect, stagePolicy: // said where it happened
	}
}

func (c *connection) reportTLS(err error) {
	call := "SSL_accept"
	if c.svc.conf.Client {
		call = "SSL_connect"
	}
	var v *verify.Error
	switch {
	case errors.As(err, &v) && v.Cert != nil: // the Verifier has said why
		c.log.Errf("%s: certificate verify failed", call)
	case errors.Is(err, os.ErrDeadlineExceeded):
		// Not an error, as in stunnel: whoever only connects would fill the log.
		c.log.Infof("ssl_start: s_poll_wait: TIMEOUTbusy exceeded: sending reset")
	default:
		c.log.Errf("%s: %s", call, reason(err))
	}
}

func (c *connection) reportGuest(err error) {
	var g *guest.Error
	if !errors.As(err, &g) {
		c.log.Errf("%s: %s", c.svc.conf.Protocol, reason(err))
		return
	}
	switch g.Kind {
	case guest.KindCancelled:
		c.log.Debugf("%v", g)
	case guest.KindRefusal:
		level := logging.Warning // often nothing more than a peer that looked in and left
		if errors.Is(err, errDenied) {
			level = logging.Info // the policy's line says it all
		}
		c.log.Logf(level, "%v", g)
	default:
		c.log.Errf("%v", g)
	}
	if g.Trace != "" && c.log.Enabled(logging.Debug) {
		for line := range strings.SplitSeq(g.Trace, "\n") {
			c.log.Debugf("%s", line)
		}
	}
}

// reason is an error's text in OpenSSL's or the C library's words where scripts
// look for those.
func reason(err error) string {
	var alert tls.AlertError
	switch {
	case err == nil:
		return "unknown"
	case strings.Contains(err.Error(), "didn't provide a certificate"):
		return "peer did not return a certificate"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "s_poll_wait: TIMEOUTbusy exceeded: sending reset"
	case errors.Is(err, context.Canceled):
		return "terminated"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "Peer suddenly disconnected"
	case errors.As(err, &alert):
		return alert.Error()
	}
	if text, ok := logging.Errno(err); ok {
		return text
	}
	return opensslWords(err)
}
