package matrix

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/tlsconf"
)

// ours is the verdict of this project on the configuration that stunnel got. crypto/tls
// ends a handshake where it cannot parse one of the certificates, before any of ours is
// asked.
func ours(ctx context.Context, own string, r *run) verdict {
	text := "[run]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n" + r.conf()
	if r.server {
		text += "client = yes\n"
	} else {
		text += "cert = " + own + "\n"
	}
	conf, err := config.LoadReader("matrix.conf", strings.NewReader(text))
	if err != nil {
		return verdict{reason: "configuration: " + err.Error()}
	}
	c, err := tlsconf.Build(conf.Services[0], tlsconf.Options{})
	if err != nil {
		return verdict{reason: "configuration: " + err.Error()}
	}
	cs := tls.ConnectionState{Version: tls.VersionTLS12}
	for _, s := range r.sent {
		parsed, err := x509.ParseCertificate(s.der)
		if err != nil {
			return verdict{reason: "parsing: " + err.Error()}
		}
		cs.PeerCertificates = append(cs.PeerCertificates, parsed)
	}
	if err := c.Verifier.Check(ctx, cs, nil); err != nil {
		return verdict{reason: err.Error()}
	}
	return verdict{ok: true}
}
