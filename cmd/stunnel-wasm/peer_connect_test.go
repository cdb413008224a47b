package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// hello is what all backends here say.
var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })

// secureBackend is an HTTPS server's address.
func secureBackend(t *testing.T, certs *testpeer.Certificates) string {
	t.Helper()
	s := httptest.NewUnstartedServer(hello)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certs.Pair(t, certs.Server)}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// plainBackend is an HTTP server's address.
func plainBackend(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(hello)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// clientPreamble is for services that lead to a TLS server through a proxy.
func clientPreamble(certs *testpeer.Certificates, target string) string {
	return `
client = yes
protocol = connect
protocolHost = ` + target + `
verifyChain = yes
CAfile = ` + certs.Root + `
checkHost = localhost
`
}

// body asks an HTTP server for its page.
func body(addr string) (string, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport, Timeout: testpeer.Patience}).Get("http://" + addr + "/")
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

// squid runs a proxy of its own, with lines that say who may use it, and gives its address.
func squid(t *testing.T, access string) string {
	t.Helper()
	program := testpeer.Need(t, "squid", "squid")
	// Not the test's directory, which the user that squid becomes cannot enter.
	dir, err := os.MkdirTemp("", "squid")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	conf := filepath.Join(dir, "squid.conf")
	text := fmt.Sprintf(`http_port %s
visible_hostname squid.example
pid_filename none
cache_log /dev/null
access_log none
cache deny all
cache_mem 1 MB
memory_pools off
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
coredump_dir %s
%shttp_access deny all
`, addr, dir, strings.ReplaceAll(access, "$DIR", dir))
	err = os.Chmod(dir, 0o755)
	for name, text := range map[string]string{"squid.conf": text, "passwords": "joe:" + hashed(t, "secret word") + "\n"} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	p := testpeer.Run(t, program, "-N", "-f", conf)
	p.WaitPort("tcp", addr)
	return addr
}

// hashed is a password as squid's helper reads it.
func hashed(t *testing.T, password string) string {
	t.Helper()
	out, err := exec.Command(testpeer.Need(t, "openssl", "openssl"), "passwd", "-apr1", password).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestSquid leads through squid without a login, with Basic, and as far as squid checks
// NTLM, which is its framing.
func TestSquid(t *testing.T) {
	t.Parallel()
	const basic, ntlm = "/usr/lib/squid/basic_ncsa_auth", "/usr/lib/squid/ntlm_fake_auth"
	testpeer.NeedFile(t, basic, "squid")
	testpeer.NeedFile(t, ntlm, "squid")
	certs := testpeer.Certs(t)
	backend := secureBackend(t, certs)
	const wanted = "acl known proxy_auth REQUIRED\nhttp_access allow known\n"
	open := squid(t, "http_access allow all\n")
	closed := squid(t, "auth_param basic program "+basic+" $DIR/passwords\nauth_param basic realm squid\n"+wanted)
	windows := squid(t, "auth_param ntlm program "+ntlm+"\nauth_param ntlm keep_alive on\n"+wanted)
	d := start(t, clientPreamble(certs, backend)+`
[open]
accept = 127.0.0.1:0
connect = `+open+`
[header]
accept = 127.0.0.1:0
connect = `+open+`
protocolHeader = User-Agent: stunnel
protocolHeader = Proxy-Connection: keep-alive
[basic]
accept = 127.0.0.1:0
connect = `+closed+`
protocolUsername = joe
protocolPassword = secret word
[wrong]
accept = 127.0.0.1:0
connect = `+closed+`
protocolUsername = joe
protocolPassword = guessed word
[anonymous]
accept = 127.0.0.1:0
connect = `+closed+`
[ntlm]
accept = 127.0.0.1:0
connect = `+windows+`
protocolAuthentication = ntlm
protocolUsername = joe
protocolPassword = secret word
guestOption = ntlmv1=yes
[other]
accept = 127.0.0.1:0
connect = `+windows+`
protocolUsername = joe
protocolPassword = secret word
[down]
accept = 127.0.0.1:0
connect = `+open+`
protocolHost = 127.0.0.1:`+testpeer.FreePort(t)+`
`)
	for _, service := range []string{"open", "header", "basic", "ntlm"} {
		if got, err := body(d.Addr(service)); got != "hello" {
			t.Errorf("%s: got %q, %v", service, got, err)
		}
	}
	for service, line := range map[string]string{
		"wrong":     `guest connect .*: the proxy refuses the login by Basic: "HTTP/1\.1 407 Proxy Authentication Required"`,
		"anonymous": `the proxy wants a login by "Basic": "HTTP/1\.1 407 `,
		"other":     `the proxy does not offer Basic but "NTLM": "HTTP/1\.1 407 `,
		"down":      `the proxy does not connect: "HTTP/1\.1 503 Service Unavailable"`,
	} {
		if got, err := body(d.Addr(service)); err == nil {
			t.Errorf("%s: got %q", service, got)
		}
		d.WaitLine(line)
	}
	if n := d.Count(`secret word|guessed word|c2VjcmV0|am9lOnNl|am9lOmd1`); n != 0 {
		t.Errorf("%d lines of the log hold a password", n)
	}
}

// TestCurlProxy has curl use services as its proxy: one that takes the request in the
// clear, behind which curl's TLS ends, and one that takes it inside TLS, where that goes
// to the target.
func TestCurlProxy(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	plain, secure, down := plainBackend(t), secureBackend(t, certs), "127.0.0.1:"+testpeer.FreePort(t)
	d := start(t, `
accept = 127.0.0.1:0
connect = 127.0.0.1:1
cert = `+certs.Server+`
protocol = connect
[clear]
guestDial = 127.0.0.0/8:*
[inside]
guestDial = 127.0.0.0/8:*
guestOption = inside=yes
[login]
guestDial = 127.0.0.0/8:*
guestOption = inside=yes
guestOption = userPassword=ann:first word
guestOption = userPassword=joe:secret:word
[anywhere]
guestOption = inside=yes
[names]
guestDial = *.example.org:443
guestOption = inside=yes
`)
	for _, test := range []struct {
		name, service, target string
		args                  []string
		status                int    // curl's
		want                  string // what curl prints
	}{
		{"clear", "clear", "https://" + plain, nil, 0, "hello"},
		{"clear, by name", "clear", "https://localhost:" + portOf(plain), []string{"-4"}, 0, "hello"},
		{"clear, down", "clear", "https://" + down, nil, 56, "curl: (56) CONNECT tunnel failed, response 502"},
		{"inside", "inside", "https://" + secure, nil, 0, "hello"},
		{"inside, plain", "inside", "http://" + plain, []string{"--proxytunnel"}, 0, "hello"},
		{"inside, down", "inside", "https://" + down, nil, 56, "curl: (56) CONNECT tunnel failed, response 502"},
		{"inside, no tunnel", "inside", "http://" + plain, nil, 0, "405 Method Not Allowed"},
		{"login", "login", "https://" + secure, []string{"--proxy-user", "joe:secret:word"}, 0, "hello"},
		{"login asked for", "login", "https://" + secure, []string{"--proxy-anyauth", "--proxy-user", "ann:first word"}, 0, "hello"},
		{"login wrong", "login", "https://" + secure, []string{"--proxy-user", "joe:first word"}, 56, "curl: (56) CONNECT tunnel failed, response 407"},
		{"login missing", "login", "https://" + secure, nil, 56, "curl: (56) CONNECT tunnel failed, response 407"},
		{"loopback not granted", "anywhere", "https://" + secure, nil, 56, "curl: (56) CONNECT tunnel failed, response 403"},
		{"name not granted", "names", "https://localhost:" + portOf(secure), nil, 56, "curl: (56) CONNECT tunnel failed, response 403"},
	} {
		t.Run(test.name, func(t *testing.T) {
			scheme := "https"
			if test.service == "clear" {
				scheme = "http"
			}
			args := append([]string{"-sS", "--cacert", certs.Root, "--proxy-cacert", certs.Root, "-x", scheme + "://" + d.Addr(test.service)}, test.args...)
			c := testpeer.Run(t, curl, append(args, test.target+"/")...)
			if status := c.Wait(); status != test.status || c.Output() != test.want {
				t.Errorf("curl's exit status is %d, it prints %q", status, c.Output())
			}
		})
	}
	d.WaitLine(`LOG6\[\d+\]: connect: user="joe"$`)
	d.WaitLine(`LOG6\[\d+\]: connect: target="` + secure + `"$`)
	d.WaitLine(`the client's login is wrong: user "joe"`)
	if n := d.Count(`secret:word|first word`); n != 0 {
		t.Errorf("%d lines of the log hold a password", n)
	}
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// TestConnectSilent has clients that send half a request, or nothing, and wait.
func TestConnectSilent(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, "[proxy]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\ncert = "+certs.Server+"\nprotocol = connect\nTIMEOUTbusy = 1\n")
	for _, request := range []string{"CONNECT a.example:443 HTTP/1.1\r\nHost: ", ""} {
		c, err := net.Dial("tcp", d.Addr("proxy"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(c)
		if !strings.HasPrefix(string(text), "HTTP/1.1 408 Request Timeout\r\n") || err != nil {
			t.Errorf("the client gets %q and %v", text, err)
		}
	}
}

// TestConnectBoth leads through a client service and a server service, of ours and of
// stunnel's.
func TestConnectBoth(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	backend := plainBackend(t)
	programs := map[string]string{"ours": self(t)}
	if stunnel := testpeer.Need(t, "stunnel4", "stunnel4"); stunnel != "" {
		programs["stunnel"] = stunnel
	}
	for serverName, server := range programs {
		for clientName, client := range programs {
			if serverName == "stunnel" && clientName == "stunnel" {
				continue
			}
			t.Run(clientName+" to "+serverName, func(t *testing.T) {
				t.Parallel()
				dial := ""
				if serverName == "ours" {
					dial = "guestDial = 127.0.0.1:*\n"
				}
				s := testpeer.Start(t, server, "[proxy]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\ncert = "+certs.Server+"\nprotocol = connect\n"+dial)
				c := testpeer.Start(t, client, clientPreamble(certs, backend)+"[client]\naccept = 127.0.0.1:0\nconnect = "+s.Addr("proxy")+"\n")
				if got, err := body(c.Addr("client")); got != "hello" {
					t.Errorf("got %q, %v", got, err)
				}
				s.WaitLine(`LOG5\[0\]: Connection (closed|reset)`)
			})
		}
	}
}
