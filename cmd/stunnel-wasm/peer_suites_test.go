package main

import (
	"net"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// negotiated runs s_client, which accepts everything there is, and gives what it says of
// the handshake: "TLSv1.2 AES128-SHA", or "" if there was none.
func negotiated(t *testing.T, d *testpeer.Daemon, service string, args ...string) string {
	t.Helper()
	c := sClient(t, d, service, append([]string{"-cipher", "ALL:@SECLEVEL=0"}, args...)...)
	c.Stdin.Close()
	c.Wait()
	for _, line := range c.Lines() {
		// The version is that of the session: "New, TLSv1.0, Cipher is" tells the suite's.
		if suite, ok := strings.CutPrefix(line, "    Cipher    : "); ok && suite != "0000" {
			return suite
		}
		if rest, ok := strings.CutPrefix(line, "New, TLSv1.3, Cipher is "); ok {
			return rest
		}
	}
	return ""
}

// TestOpensslSuites has openssl offer one suite at a time.
func TestOpensslSuites(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
[default]
accept = 127.0.0.1:0
cert = `+certs.ServerRSA(t)+`
[list]
accept = 127.0.0.1:0
cert = `+certs.Server+`
ciphers = ECDHE+AES:!SHA256:-AES128:@STRENGTH
[rsa]
accept = 127.0.0.1:0
cert = `+certs.ServerRSA(t)+`
ciphers = kRSA+AES128:!CCM
`)
	for service, suites := range map[string]map[string]bool{
		"default": {"ECDHE-RSA-AES256-GCM-SHA384": true, "ECDHE-RSA-CHACHA20-POLY1305": true, "ECDHE-RSA-AES128-SHA": true,
			"AES256-GCM-SHA384": true, "AES128-SHA": true, // as stunnel, for peers without ephemeral keys
			"AES128-SHA256": false, "ADH-AES256-SHA": false, "CAMELLIA128-SHA": false, "NULL-SHA": false},
		"list": {"ECDHE-ECDSA-AES256-GCM-SHA384": true, "ECDHE-ECDSA-AES256-SHA": true,
			"ECDHE-ECDSA-AES128-GCM-SHA256": false, "ECDHE-ECDSA-CHACHA20-POLY1305": false},
		"rsa": {"AES128-SHA": true, "AES128-GCM-SHA256": true, "AES256-SHA": false, "ECDHE-RSA-AES128-SHA": false},
	} {
		for suite, want := range suites {
			got := negotiated(t, d, service, "-tls1_2", "-cipher", suite+":@SECLEVEL=0")
			if (got == suite) != want || got != "" && got != suite {
				t.Errorf("%s: %s gives %q, want it taken: %v", service, suite, got, want)
			}
		}
	}
}

// TestOpensslVersions has clients of old versions, which OpenSSL 3 speaks at level 0.
func TestOpensslVersions(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+certs.ServerRSA(t)+`
[default]
accept = 127.0.0.1:0
[named]
accept = 127.0.0.1:0
sslVersion = TLSv1
[from]
accept = 127.0.0.1:0
sslVersionMin = TLSv1
[level]
accept = 127.0.0.1:0
securityLevel = 0
[list]
accept = 127.0.0.1:0
ciphers = DEFAULT:@SECLEVEL=0
sslVersionMin = TLSv1.1
`)
	for _, c := range []struct{ service, want string }{
		{"default", "-tls1_2 -tls1_3"}, {"named", "-tls1"}, {"from", "-tls1_2 -tls1_3"},
		{"level", "-tls1 -tls1_1 -tls1_2 -tls1_3"}, {"list", "-tls1_1 -tls1_2 -tls1_3"},
	} {
		var got []string
		for _, v := range []string{"-tls1", "-tls1_1", "-tls1_2", "-tls1_3"} {
			if negotiated(t, d, c.service, v) != "" {
				got = append(got, v)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.service, got, c.want)
		}
	}
	c := sClient(t, d, "level", "-tls1", "-cipher", "kRSA:@SECLEVEL=0")
	say(t, c, "through TLS 1.0")
}

// TestOpensslGroups has openssl offer one group at a time, in both versions.
func TestOpensslGroups(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+certs.ServerRSA(t)+`
[default]
accept = 127.0.0.1:0
[some]
accept = 127.0.0.1:0
curves = secp384r1:X448:X25519
`)
	d.WaitLine(`LOG4\[ui\]: Service \[some\] curves that do not exist here are left out: X448$`)
	for service, groups := range map[string]map[string]bool{
		"default": {"X25519": true, "P-256": true, "P-384": true, "P-521": true, "X448": false},
		"some":    {"X25519": true, "P-256": false, "P-384": true, "P-521": false},
	} {
		for group, want := range groups {
			for _, v := range versions {
				got := negotiated(t, d, service, v.openssl, "-groups", group, "-cipher", "ECDHE:@SECLEVEL=0")
				if (got != "") != want {
					t.Errorf("%s: %s %s gives %q, want it taken: %v", service, v.log, group, got, want)
				}
			}
		}
	}
}

// TestOpensslLevel has our own and openssl's idea of a level meet: what is strong enough for
// us is so for a client of the same level, and what is not is refused at start.
func TestOpensslLevel(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
securityLevel = 3
[s]
accept = 127.0.0.1:0
cert = `+certs.Server+`
`)
	for _, v := range versions {
		c := sClient(t, d, "s", v.openssl, "-cipher", "ALL:@SECLEVEL=3", "-CAfile", certs.Root, "-verify_return_error")
		say(t, c, "at level 3")
	}
	if got := negotiated(t, d, "s", "-tls1_2", "-cipher", "ECDHE+CHACHA20:@SECLEVEL=0"); got != "ECDHE-ECDSA-CHACHA20-POLY1305" {
		t.Errorf("negotiated %q", got)
	}
	refused := testpeer.Launch(t, self(t), "securityLevel = 3\n[s]\naccept = 127.0.0.1:0\nconnect = 1\ncert = "+certs.ServerRSA(t)+"\n")
	refused.WaitLine(`ee key too small: CN=localhost,O=Test \(RSA of 2048 bits, signed by ECDSA-SHA256\) at security level 3$`)
	if status := refused.Wait(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}

// TestStunnelTLSOptions has stunnel on one side and us on the other, with the same lines.
func TestStunnelTLSOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ server, client, want string }{
		{"ciphers = AES256-SHA\nsslVersionMax = TLSv1.2", "", "TLSv1.2 ciphersuite: AES256-SHA "},
		{"sslVersionMax = TLSv1.2", "ciphers = ECDHE+CHACHA20:!aECDSA", "TLSv1.2 ciphersuite: ECDHE-RSA-CHACHA20-POLY1305 "},
		{"sslVersion = TLSv1\nsecurityLevel = 0", "securityLevel = 0", "TLSv1 ciphersuite: ECDHE-RSA-AES"},
		{"securityLevel = 0", "sslVersion = TLSv1.1\nsecurityLevel = 0", "TLSv1.1 ciphersuite: ECDHE-RSA-AES"},
		{"curves = P-384", "curves = X25519:P-384", "TLSv1.3 ciphersuite: "},
		{"ciphers = DEFAULT:@SECLEVEL=1\nsslVersionMax = TLSv1.2", "securityLevel = 1", "TLSv1.2 ciphersuite: ECDHE-RSA-AES"},
		{"config = CipherString:AES128-SHA:AES256-SHA\nconfig = Protocol:-TLSv1.3", "config = CipherString:AES256-SHA", "TLSv1.2 ciphersuite: AES256-SHA "},
		{"config = Groups:P-521\nconfig = MinProtocol:TLSv1.3", "config = Curves:X25519:P-521", "TLSv1.3 ciphersuite: "},
		{"options = NO_TLSv1_3", "securityLevel = 3", "TLSv1.2 ciphersuite: ECDHE-RSA-AES"},
		{"options = -NO_SSLv3", "config = Options:-SessionTicket\nconfig = MaxProtocol:TLSv1.2", "TLSv1.2 ciphersuite: ECDHE-RSA-AES"},
	} {
		t.Run(c.want+c.client, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, server, client string) {
				certs := testpeer.Certs(t)
				s := testpeer.Start(t, server, c.server+"\n[s]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.ServerRSA(t)+"\n")
				d := testpeer.Start(t, client, c.client+"\n[c]\nclient = yes\naccept = 127.0.0.1:0\nconnect = "+s.Addr("s")+"\n")
				conn, err := net.Dial("tcp", d.Addr("c"))
				if err != nil {
					t.Fatal(err)
				}
				bulk(t, conn)
				s.WaitLine(`LOG6\[0\]: ` + c.want)
				d.WaitLine(`LOG6\[0\]: ` + c.want)
			})
		})
	}
}
