package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// manualPolicy is the config of docs/policy.md, with addresses and files of the test's.
func manualPolicy(t *testing.T, certs *testpeer.Certificates, backend string) string {
	t.Helper()
	manual, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(manual), "```ini\n")
	conf, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("docs/policy.md has no config")
	}
	for _, change := range [][2]string{{"accept = 8443", "accept = 127.0.0.1:0"}, {"127.0.0.1:8080", backend},
		{"/etc/stunnel/server.pem", certs.Server}, {"/etc/stunnel/ca.pem", certs.Root}} {
		if !strings.Contains(conf, change[0]) {
			t.Fatalf("the manual's config has no %s", change[0])
		}
		conf = strings.Replace(conf, change[0], change[1], 1)
	}
	return conf
}

// TestPolicyOfTheManual has curl and openssl come with certificates that the manual's
// rules allow and deny.
func TestPolicyOfTheManual(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "inside") }))
	t.Cleanup(backend.Close)
	d := start(t, manualPolicy(t, certs, backend.Listener.Addr().String()))
	denied := 0
	for _, c := range []struct {
		name, unit, uri string
		allowed         bool
	}{
		{"web", "platform", "spiffe://example.org/ns/prod/sa/web", true},
		{"db", "platform", "spiffe://example.org/ns/prod/sa/db", false},
		{"deep", "platform", "spiffe://example.org/ns/prod/x/sa/web", false},
		{"elsewhere", "platform", "spiffe://example.com/ns/prod/sa/web", false},
		{"operator", "operators", "spiffe://example.org/people/joe", true},
		{"forger", "platform, OU=operators", "spiffe://example.org/people/eve", false},
	} {
		file := certs.ClientOf(t, c.name, c.unit, c.uri)
		for _, version := range []string{"1.2", "1.3"} {
			p := testpeer.Run(t, curl, "-sS", "--tlsv"+version, "--tls-max", version, "--cacert", certs.Root,
				"--cert", file, "--key", file, "https://"+d.Addr("app")+"/")
			status := p.Wait()
			if inside := status == 0 && p.Output() == "inside"; inside != c.allowed {
				t.Errorf("%s with TLS %s: curl's exit status is %d, and it prints %q", c.name, version, status, p.Output())
			}
			if !c.allowed {
				denied++
				d.WaitLines(`LOG4\[\d+\]: Service \[app\] policy acl denied connection from 127\.0\.0\.1:\d+: no rule allows it$`, denied)
			}
		}
	}
	good := certs.ClientOf(t, "web2", "platform", "spiffe://example.org/ns/prod/sa/web")
	bad := certs.ClientOf(t, "db2", "platform", "spiffe://example.org/ns/prod/sa/db")
	for _, v := range versions {
		c := sClient(t, d, "app", v.openssl, "-cert", good, "-key", good, "-cert_chain", certs.Chain, "-quiet")
		if _, err := c.Stdin.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		c.WaitLine("^inside$")
		c.Stdin.Close()
		c.Wait()
		c = sClient(t, d, "app", v.openssl, "-cert", bad, "-key", bad, "-cert_chain", certs.Chain)
		c.WaitLine("^(closed|DONE|read:errno=0)$") // an end in order
		c.Wait()
		denied++
		d.WaitLines(`policy acl denied connection`, denied)
	}
}
