package main

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestRevokedSinceTheSession has a client resume its session until a newer list revokes
// it, and a new client be let in as its CA is put into a directory: neither takes a
// reload.
func TestRevokedSinceTheSession(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	client := certs.Pair(t, certs.Client)
	stranger := certs.Pair(t, certs.Stranger)
	for _, v := range versions {
		lists, trusted := t.TempDir(), t.TempDir()
		rehash(t, trusted, certs.Root)
		rehash(t, lists, certs.Revoke(t, "none.pem", time.Now().Add(time.Hour)))
		conf := "cert = " + certs.Server + "\nconnect = " + testpeer.Serve(t, testpeer.Say("hello\n")) + `
verifyChain = yes
CApath = ` + trusted + `
[lists]
accept = 127.0.0.1:0
CRLpath = ` + lists + `
[path]
accept = 127.0.0.1:0
`
		d := testpeer.Start(t, self(t), conf)
		config := func(pair tls.Certificate) *tls.Config {
			return &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1), ServerName: "localhost",
				MaxVersion: tlsVersion(v), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
		}
		good, bad := config(client), config(stranger)
		dial := func(service string, conf *tls.Config) (said string, resumed bool) {
			c, err := tls.Dial("tcp", d.Addr(service), conf)
			if err != nil {
				return "", false
			}
			defer c.Close()
			text, _ := io.ReadAll(c)
			return string(text), c.ConnectionState().DidResume
		}
		for i := range 2 {
			if said, resumed := dial("lists", good); said != "hello\n" || resumed != (i > 0) {
				t.Errorf("%s: connection %d hears %q, resumed %v", v.log, i, said, resumed)
			}
		}
		rehash(t, lists, certs.Revoke(t, "none.pem", time.Now().Add(time.Hour)), certs.Revoke(t, "new.pem", time.Now().Add(2*time.Hour), certs.Client))
		if said, _ := dial("lists", good); said != "" {
			t.Errorf("%s: revoked, and hears %q", v.log, said)
		}
		d.WaitLine(`LOG4\[2\]: CERT: Pre-verification error: certificate revoked$`)
		if said, _ := dial("path", bad); said != "" {
			t.Errorf("%s: a stranger hears %q", v.log, said)
		}
		rehash(t, trusted, certs.Root, certs.Other)
		if said, _ := dial("path", bad); said != "hello\n" {
			t.Errorf("%s: no stranger any more, and hears %q", v.log, said)
		}
	}
}

// tlsVersion is a version as crypto/tls numbers it.
func tlsVersion(v version) uint16 {
	if v.log == "TLSv1.2" {
		return tls.VersionTLS12
	}
	return tls.VersionTLS13
}

// TestVerifiedTunnels leads through our daemon and stunnel's, which verify each other, in
// both roles.
func TestVerifiedTunnels(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	files, asked := peers(t, certs)
	eachWay(t, func(t *testing.T, server, client string) {
		conf := "cert = " + certs.Server + "\nconnect = " + testpeer.Serve(t, testpeer.Say("hello\n")) + "\n"
		for _, v := range asked {
			conf += "[" + v.name + "]\naccept = 127.0.0.1:0\n" + v.options
		}
		s := testpeer.Start(t, server, conf)
		conf = "client = yes\nverifyChain = yes\nCAfile = " + certs.Root + "\ncheckIP = 127.0.0.1\nsessionResume = no\n"
		type tunnel struct {
			name     string
			accepted bool
		}
		var tunnels []tunnel
		for _, v := range asked {
			for _, peer := range []string{"good", "revoked", "stranger"} {
				name := v.name + "-" + peer
				tunnels = append(tunnels, tunnel{name, slices.Contains(v.accepted, peer)})
				conf += "[" + name + "]\naccept = 127.0.0.1:0\nconnect = " + s.Addr(v.name) + "\ncert = " + files[peer] + "\n"
			}
		}
		c := testpeer.Start(t, client, conf)
		for _, tun := range tunnels {
			var said []byte
			conn, err := net.Dial("tcp", c.Addr(tun.name))
			if err == nil { // else the reset came before Dial returned
				said, _ = io.ReadAll(conn)
				conn.Close()
			}
			if (string(said) == "hello\n") != tun.accepted {
				t.Errorf("%s hears %q", tun.name, said)
			}
		}
	})
}

// TestVerifiedOpensslServers has our client look at openssl's servers.
func TestVerifiedOpensslServers(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	files, asked := peers(t, certs)
	shown := []string{"good", "named", "expired", "revoked", "stranger"}
	conf := "client = yes\n"
	for _, peer := range shown {
		addr := sServer(t, "-cert", files[peer], "-cert_chain", certs.Chain)
		for _, v := range asked {
			conf += "[" + v.name + "-" + peer + "]\naccept = 127.0.0.1:0\nconnect = " + addr + "\n" + v.options
		}
	}
	d := testpeer.Start(t, self(t), conf)
	for _, peer := range shown {
		for _, v := range asked {
			text, err := page(t, d, v.name+"-"+peer)
			if got := err == nil && text != ""; got != slices.Contains(v.accepted, peer) {
				t.Errorf("%s with %s: accepted %v, %v", v.name, peer, got, err)
			}
		}
	}
}
