package main

import (
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestSessionsKeepTheCertificate resumes a session that was made with a client
// certificate, without offering it again: it counts, and is judged again. A session
// of a service that asks for none is worth nothing where one is required.
func TestSessionsKeepTheCertificate(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+certs.Server+`
[open]
accept = 127.0.0.1:0
[closed]
accept = 127.0.0.1:0
verifyChain = yes
CAfile = `+certs.Root+`
`)
			dir := t.TempDir()
			talk := func(service string, args ...string) *testpeer.Process {
				c := sClient(t, d, service, append(args, v.openssl)...)
				say(t, c, "hello")
				c.Stdin.Close()
				c.Wait()
				return c
			}
			talk("closed", "-cert", certs.Client, "-key", certs.Client, "-cert_chain", certs.Chain, "-sess_out", filepath.Join(dir, "closed"))
			d.WaitLine(`LOG6\[0\]: TLS accepted: new session negotiated$`)
			talk("closed", "-sess_in", filepath.Join(dir, "closed"))
			d.WaitLine(`LOG6\[1\]: TLS accepted: previous session reused$`)
			d.WaitLine(`LOG5\[1\]: Certificate accepted at depth=0: O=Test, CN=client$`)

			talk("open", "-sess_out", filepath.Join(dir, "open"))
			d.WaitLine(`LOG6\[2\]: TLS accepted: new session negotiated$`)
			c := sClient(t, d, "closed", "-sess_in", filepath.Join(dir, "open"), v.openssl)
			d.WaitLine(`LOG3\[3\]: SSL_accept: peer did not return a certificate$`)
			c.Wait()
		})
	}
}
