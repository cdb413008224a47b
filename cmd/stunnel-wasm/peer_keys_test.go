package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestKindsByOffer has openssl offer signatures of one kind: it gets that certificate,
// whatever name it asks for; and a secondary's stays its own.
func TestKindsByOffer(t *testing.T) {
	t.Parallel()
	program := testpeer.Need(t, "openssl", "openssl")
	certs, other := testpeer.Certs(t), testpeer.Certs(t)
	rsa := certs.ServerRSA(t)
	d := start(t, `
[both]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+rsa+`
key = `+certs.Server+`
key = `+rsa+`
cert = `+certs.Server+`
[one]
sni = both:one.test
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+other.Server+`
`)
	for _, c := range []struct{ args, want string }{
		{"-tls1_3 -sigalgs rsa_pss_rsae_sha256", "RSA-PSS"},
		{"-tls1_3 -sigalgs ecdsa_secp256r1_sha256", "ECDSA"},
		{"-tls1_2 -sigalgs RSA+SHA256", "RSA"},
		{"-tls1_2 -sigalgs ECDSA+SHA256", "ECDSA"},
		{"-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA"},
		{"-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256", "RSA-PSS"},
		{"-tls1_3", "RSA-PSS"}, // the first, to a client that takes either
		{"-tls1_2", "RSA-PSS"},
	} {
		for _, name := range []string{"-noservername", "-servername localhost", "-servername elsewhere.test"} {
			args := append([]string{"s_client", "-connect", d.Addr("both"), "-CAfile", certs.Root, "-verify_return_error"}, strings.Fields(c.args+" "+name)...)
			s := testpeer.Run(t, program, args...)
			s.Stdin.Close()
			if got := s.WaitLine(`^Peer signature type: (.*)$`); got != c.want {
				t.Errorf("%s %s: signed with %s, want %s", c.args, name, got, c.want)
			}
			if status := s.Wait(); status != 0 {
				t.Errorf("%s %s: exit status %d", c.args, name, status)
			}
		}
	}
	s := testpeer.Run(t, program, "s_client", "-connect", d.Addr("both"), "-CAfile", other.Root, "-verify_return_error", "-servername", "one.test", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
	s.Stdin.Close()
	if got := s.WaitLine(`^Peer signature type: (.*)$`); got != "ECDSA" || s.Wait() != 0 {
		t.Errorf("the secondary signed with %s", got)
	}
}

// TestStunnelKeyFiles lets stunnel and us work from the same files in both roles.
func TestStunnelKeyFiles(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	dir := t.TempDir()
	p12, empty := filepath.Join(dir, "server.p12"), filepath.Join(dir, "client.p12")
	openssl(t, "pkcs12", "-export", "-in", certs.Server, "-certfile", certs.Chain, "-out", p12, "-passout", "pass:")
	openssl(t, "pkcs12", "-export", "-in", certs.Client, "-out", empty, "-passout", "pass:")
	key := filepath.Join(dir, "server.key")
	openssl(t, "pkey", "-in", certs.Server, "-out", key)
	dh, err := os.ReadFile(certs.Server)
	if err != nil {
		t.Fatal(err)
	}
	mixed := filepath.Join(dir, "mixed.pem")
	const parameters = "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n"
	if err := os.WriteFile(mixed, []byte(parameters+string(dh)), 0o600); err != nil {
		t.Fatal(err)
	}
	// stunnel sends none of the issuers that are in PKCS #12.
	authorities := filepath.Join(dir, "authorities.pem")
	var both []byte
	for _, path := range []string{certs.Root, certs.Chain} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	if err := os.WriteFile(authorities, both, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string]string{
		"PKCS 12":          "cert = " + p12,
		"two files":        "cert = " + certs.Server + "\nkey = " + key,
		"DH parameters":    "cert = " + mixed,
		"given by default": "cert = " + certs.Server,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, server, client string) {
				s := testpeer.Start(t, server, "[server]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+
					"\nverify = 2\nCAfile = "+authorities+"\n"+lines+"\n")
				c := testpeer.Start(t, client, "[client]\nclient = yes\naccept = 127.0.0.1:0\nconnect = "+s.Addr("server")+
					"\nverifyChain = yes\nCAfile = "+authorities+"\ncheckHost = localhost\ncert = "+empty+"\n")
				conn, err := net.Dial("tcp", c.Addr("client"))
				if err != nil {
					t.Fatal(err)
				}
				bulk(t, conn)
			})
		})
	}
}
