package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// version is a TLS version as the programs name it.
type version struct {
	openssl string // s_client's and s_server's option
	log     string // in the log, in OpenSSL's output, and as a value of sslVersion
}

var versions = []version{{"-tls1_2", "TLSv1.2"}, {"-tls1_3", "TLSv1.3"}}

// sClient runs openssl s_client against a service of the daemon; it speaks TLS
// until its standard input is closed.
func sClient(t *testing.T, d *testpeer.Daemon, service string, args ...string) *testpeer.Process {
	t.Helper()
	openssl := testpeer.Need(t, "openssl", "openssl")
	return testpeer.Run(t, openssl, append([]string{"s_client", "-connect", d.Addr(service)}, args...)...)
}

// say sends a line through s_client and waits for its echo.
func say(t *testing.T, c *testpeer.Process, line string) {
	t.Helper()
	if _, err := c.Stdin.Write([]byte(line + "\n")); err != nil {
		t.Fatal(err)
	}
	c.WaitLine(line + "$") // perhaps behind what s_client prints of a ticket
}

func TestOpensslClientHandshake(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	rsa := certs.ServerRSA(t)
	d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
[ecdsa]
accept = 127.0.0.1:0
cert = `+certs.Server+`
[rsa]
accept = 127.0.0.1:0
cert = `+rsa+`
`)
	for _, v := range versions {
		for _, key := range []string{"ecdsa", "rsa"} {
			t.Run(v.log+" "+key, func(t *testing.T) {
				c := sClient(t, d, key, v.openssl, "-CAfile", certs.Root, "-verify_return_error", "-verify_hostname", "localhost", "-servername", "localhost")
				say(t, c, "through "+v.log)
				c.Stdin.Close()
				if status := c.Wait(); status != 0 {
					t.Errorf("openssl's exit status is %d", status)
				}
				c.WaitLine("^New, " + v.log + ", Cipher is ")
				c.WaitLine("Verify return code: 0 ")
			})
		}
		d.WaitLines(v.log+" ciphersuite: ", 2)
	}
	if n := len(d.WaitLines(`LOG5\[\d+\]: Connection closed: 16 byte\(s\) sent to TLS, 16 byte\(s\) sent to socket$`, 4)); n != 4 {
		t.Errorf("%d connections closed well, not 4", n)
	}
}

func TestOpensslClientResumes(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			d := start(t, "[s]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.Server+"\n")
			session := filepath.Join(t.TempDir(), "session")
			for i, args := range [][]string{{"-sess_out", session}, {"-sess_in", session}} {
				c := sClient(t, d, "s", append(args, v.openssl)...)
				say(t, c, "hello") // a TLS 1.3 ticket comes before its echo
				c.Stdin.Close()
				c.Wait()
				c.WaitLine("^" + []string{"New", "Reused"}[i] + ", " + v.log)
			}
			d.WaitLine(`LOG6\[0\]: TLS accepted: new session negotiated$`)
			d.WaitLine(`LOG6\[1\]: TLS accepted: previous session reused$`)
		})
	}
}

// TestOpensslClientCertificate asks for certificates in every way, and offers the
// right one, none, and one of a stranger.
func TestOpensslClientCertificate(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
cert = `+certs.Server+`
CAfile = `+certs.Root+`
connect = `+testpeer.Serve(t, testpeer.Echo)+`
[chain]
accept = 127.0.0.1:0
verifyChain = yes
[any]
accept = 127.0.0.1:0
requireCert = yes
[requested]
accept = 127.0.0.1:0
verify = 1
`)
	client := []string{"-cert", certs.Client, "-key", certs.Client, "-cert_chain", certs.Chain}
	stranger := []string{"-cert", certs.Stranger, "-key", certs.Stranger}
	absent := []string{`LOG3\[ID\]: SSL_accept: .*peer did not return a certificate$`}
	wrong := []string{
		`LOG4\[ID\]: CERT: Pre-verification error: unable to get local issuer certificate$`,
		`LOG4\[ID\]: Rejected by CERT at depth=0: O=Test, CN=stranger$`,
		`LOG3\[ID\]: SSL_accept: .*certificate verify failed$`,
	}
	accepted := []string{`LOG5\[ID\]: Certificate accepted at depth=0: O=Test, CN=client$`}
	for _, tc := range []struct {
		service, name string
		args          []string
		refused       bool
		log           []string
	}{
		{"chain", "good", client, false, accepted},
		{"chain", "none", nil, true, absent},
		{"chain", "stranger", stranger, true, wrong},
		{"any", "stranger", stranger, false, nil},
		{"any", "none", nil, true, absent},
		{"requested", "good", client, false, accepted},
		{"requested", "none", nil, false, nil},
		{"requested", "stranger", stranger, true, wrong},
	} {
		for _, v := range versions {
			t.Run(tc.service+" "+tc.name+" "+v.log, func(t *testing.T) {
				seen := d.Count(`accepted connection from`)
				c := sClient(t, d, tc.service, append(tc.args, v.openssl)...)
				ids := d.WaitLines(`LOG5\[(\d+)\]: Service \[.*\] accepted connection from`, seen+1)
				id := ids[seen]
				if tc.refused {
					// TLS 1.3's client learns it only after its own handshake is over.
					c.WaitLine(`:tlsv13? alert|:ssl/tls alert|alert (certificate|bad|unknown|handshake)`)
					c.Wait()
					d.WaitLine(`LOG5\[` + id + `\]: Connection reset/closed: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket$`)
				} else {
					say(t, c, "hello")
					c.Stdin.Close()
					c.Wait()
					d.WaitLine(`LOG5\[` + id + `\]: Connection closed: 6 byte\(s\) sent to TLS, 6 byte`)
				}
				for _, l := range tc.log {
					d.WaitLine(strings.Replace(l, "ID", id, 1))
				}
			})
		}
	}
}

// openssl runs a command of openssl, which must succeed.
func openssl(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(testpeer.Need(t, "openssl", "openssl"), args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %q: %v\n%s", args, err, out)
	}
}
