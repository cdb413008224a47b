package main

import (
	"strings"
	"testing"

	ntlmssp "github.com/Azure/go-ntlmssp"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestNTLMChecker has clients of others log in at the checker that the guest is tested
// with: it takes what they send, and not with another password, user or domain.
func TestNTLMChecker(t *testing.T) {
	t.Parallel()
	for _, withTime := range []bool{false, true} {
		checker := &testpeer.NTLM{User: "joë", Password: "sécret", Domain: "DOM", Time: withTime}
		for _, test := range []struct {
			user, password string
			ok             bool
		}{
			{`DOM\joë`, "sécret", true},
			{"joë", "sécret", true},
			{`DOM\joë`, "secret", false},
			{`DOM\JOË`, "sécret", false}, // the checker wants the name as it is
			{`DON\joë`, "sécret", false},
		} {
			negotiate, err := ntlmssp.NewNegotiateMessage("", "")
			if err != nil {
				t.Fatal(err)
			}
			challenge := checker.Challenge()
			answer, err := ntlmssp.NewAuthenticateMessage(challenge, test.user, test.password, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := checker.Check(negotiate, challenge, answer); (err == nil) != test.ok {
				t.Errorf("%s with %s: %v", test.user, test.password, err)
			}
			if err := checker.Check(negotiate, checker.Challenge(), answer); err == nil {
				t.Error("the answer to another challenge is taken")
			}
			strict := *checker
			strict.Integrity = true
			if err := strict.Check(negotiate, challenge, answer); err == nil {
				t.Error("an answer without an integrity code is taken")
			}
		}
	}
}

// TestCurlNTLM has curl log in at the proxy that the guest is tested with.
func TestCurlNTLM(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	version := testpeer.Run(t, curl, "--version")
	version.Wait()
	if !strings.Contains(version.Output(), " NTLM ") {
		testpeer.Skip(t, "this curl has no NTLM")
	}
	certs := testpeer.Certs(t)
	backend := secureBackend(t, certs)
	for _, chunked := range []bool{false, true} {
		proxy := (&testpeer.ConnectProxy{NTLM: &testpeer.NTLM{User: "joe", Password: "secret word", Domain: "DOM", Time: chunked}, Chunked: chunked}).Serve(t)
		for password, status := range map[string]int{"secret word": 0, "secret": 56} {
			c := testpeer.Run(t, curl, "-sS", "--proxy-ntlm", "--proxy-user", `DOM\joe:`+password, "-x", "http://"+proxy.Addr,
				"--cacert", certs.Root, "https://"+backend+"/")
			if got := c.Wait(); got != status {
				t.Errorf("with %q curl's exit status is %d, not %d: %v", password, got, status, proxy.Refused())
			}
			if status == 0 && c.Output() != "hello" {
				t.Errorf("curl prints %q", c.Output())
			}
		}
	}
}

// TestNTLMProxy has the connect guest log in at a proxy by NTLM.
func TestNTLMProxy(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	backend := secureBackend(t, certs)
	serve := func(n testpeer.NTLM, chunked bool) string {
		n.User, n.Password, n.Domain, n.Integrity = "Zoë.Ярослав", "pässwörd😀", "Büro", n.Time
		return (&testpeer.ConnectProxy{NTLM: &n, Chunked: chunked}).Serve(t).Addr
	}
	d := start(t, clientPreamble(certs, backend)+`
protocolAuthentication = ntlm
protocolUsername = Zoë.Ярослав
protocolPassword = pässwörd😀
[plain]
accept = 127.0.0.1:0
protocolDomain = Büro
connect = `+serve(testpeer.NTLM{}, false)+`
[time]
accept = 127.0.0.1:0
protocolDomain = Büro
connect = `+serve(testpeer.NTLM{Time: true}, false)+`
[chunked]
accept = 127.0.0.1:0
connect = `+serve(testpeer.NTLM{Time: true}, true)+`
[domain]
accept = 127.0.0.1:0
protocolDomain = Burg
connect = `+serve(testpeer.NTLM{}, true)+`
[bare]
accept = 127.0.0.1:0
protocolDomain = Büro
connect = `+serve(testpeer.NTLM{Bare: true}, false)+`
[old]
accept = 127.0.0.1:0
protocolDomain = Büro
guestOption = ntlmv1=yes
connect = `+serve(testpeer.NTLM{}, false)+`
`)
	for _, service := range []string{"plain", "time", "chunked"} {
		if got, err := body(d.Addr(service)); got != "hello" {
			t.Errorf("%s: got %q, %v", service, got, err)
		}
	}
	for service, line := range map[string]string{
		"domain": `the proxy refuses the login by NTLM: "HTTP/1\.1 407 Proxy Authentication Required"`,
		"bare":   `the proxy's NTLM challenge has no TargetInfo, which version 2 needs; guestOption = ntlmv1=yes allows version 1`,
		"old":    `the proxy refuses the login by NTLM`, // which takes no version 1
	} {
		if got, err := body(d.Addr(service)); err == nil {
			t.Errorf("%s: got %q", service, got)
		}
		d.WaitLine(line)
	}
	if n := d.Count(`pässwörd`); n != 0 {
		t.Errorf("%d lines of the log hold the password", n)
	}
}
