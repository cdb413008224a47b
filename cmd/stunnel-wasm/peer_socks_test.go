package main

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// grantLoopback lets SOCKS clients reach what tests run.
const grantLoopback = "guestDial = 127.0.0.0/8:*\n"

// closedPort is one that nobody listens on. A free one that the system gives could be
// another test's by the time it is tried.
const closedPort = "1"

// socksService starts a SOCKS server with further options.
func socksService(t *testing.T, certs *testpeer.Certificates, options string) *testpeer.Daemon {
	t.Helper()
	return start(t, `
[socks]
accept = 127.0.0.1:0
cert = `+certs.Server+`
protocol = socks
`+options)
}

// tlsClient starts a TLS client in front of a service, for peers that have no TLS.
func tlsClient(t *testing.T, program string, certs *testpeer.Certificates, server string) *testpeer.Daemon {
	t.Helper()
	return testpeer.Start(t, program, `
[client]
client = yes
accept = 127.0.0.1:0
connect = `+server+`
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
}

// website gives the port of a server of HTTP whose only page is a line.
func website(t *testing.T) string {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "a page behind SOCKS\n")
	}))
	t.Cleanup(site.Close)
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestCurlSOCKS has curl speak each version through a TLS client, ours and stunnel's.
func TestCurlSOCKS(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	port := website(t)
	for name, program := range map[string]string{"ours": self(t), "stunnel": testpeer.Need(t, "stunnel4", "stunnel4")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := socksService(t, certs, grantLoopback)
			proxy := tlsClient(t, program, certs, d.Addr("socks")).Addr("client")
			for i, test := range []struct{ version, host, target string }{
				{"--socks4", "localhost", "127.0.0.1"},
				{"--socks4a", "localhost", "localhost"},
				{"--socks5", "127.0.0.1", "127.0.0.1"},
				{"--socks5-hostname", "localhost", "localhost"},
				{"--socks5-hostname", "127.0.0.1", "127.0.0.1"},
			} {
				c := testpeer.Run(t, curl, "-sS4", "--noproxy", "", test.version, proxy, "http://"+test.host+":"+port+"/")
				if status := c.Wait(); status != 0 || c.Output() != "a page behind SOCKS" {
					t.Errorf("%s %s: exit status %d, %q", test.version, test.host, status, c.Output())
				}
				d.WaitLine(fmt.Sprintf(`LOG6\[%d\]: socks: target="%s:%s"$`, i, test.target, port))
				d.WaitLine(fmt.Sprintf(`LOG5\[%d\]: Connection closed: `, i))
			}
			// The reason comes through, although the connection ends behind it.
			for version, text := range map[string]string{"--socks4a": "91", "--socks5": `\(5\)`} {
				c := testpeer.Run(t, curl, "-sS4", "--noproxy", "", version, proxy, "http://127.0.0.1:"+closedPort+"/")
				if status := c.Wait(); status != 97 {
					t.Errorf("%s to a port that nobody listens on: exit status %d", version, status)
				}
				c.WaitLine("^curl: .*" + text)
			}
			d.WaitLines(`LOG4\[\d+\]: .*connecting to "127\.0\.0\.1:`+closedPort+`": connection refused`, 2)
		})
	}
}

// TestCurlSOCKSLogin has curl log in, guess, and do without.
func TestCurlSOCKSLogin(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	port := website(t)
	d := socksService(t, certs, grantLoopback+"guestOption = userPassword=joe:secret word\nguestOption = userPassword=ann:other word\n")
	proxy := tlsClient(t, self(t), certs, d.Addr("socks")).Addr("client")
	url := "http://localhost:" + port + "/"
	for _, user := range []string{"joe:secret word", "ann:other word"} {
		c := testpeer.Run(t, curl, "-sS4", "--noproxy", "", "--socks5-hostname", proxy, "--proxy-user", user, url)
		if status := c.Wait(); status != 0 || c.Output() != "a page behind SOCKS" {
			t.Errorf("%s: exit status %d, %q", user, status, c.Output())
		}
		name, _, _ := strings.Cut(user, ":")
		d.WaitLine(`LOG6\[\d\]: socks: user="` + name + `"$`)
	}
	for _, test := range []struct{ name, text, log string }{
		{"--proxy-user=joe:other word", "User was rejected by the SOCKS5 server", `wrong password, or no such user: "joe"$`},
		{"--proxy-user=", "No authentication method was acceptable", `client offers no user name and password$`},
	} {
		args := []string{"-sS4", "--noproxy", "", "--socks5-hostname", proxy, url}
		if name, value, _ := strings.Cut(test.name, "="); value != "" {
			args = append(args, name, value)
		}
		c := testpeer.Run(t, curl, args...)
		if status := c.Wait(); status != 97 {
			t.Errorf("%s: exit status %d", test.name, status)
		}
		c.WaitLine(test.text)
		d.WaitLine(`LOG4\[\d\]: .*` + test.log)
	}
	c := testpeer.Run(t, curl, "-sS4", "--noproxy", "", "--socks4a", proxy, url)
	if status := c.Wait(); status != 97 {
		t.Errorf("SOCKS 4: exit status %d", status)
	}
	if n := d.Count("secret word|other word"); n != 0 {
		t.Errorf("%d lines of the log hold a password", n)
	}
}

// socksClient is a conversation inside TLS with a service.
func socksClient(t *testing.T, addr string, certs *testpeer.Certificates) net.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: certs.Pool(t), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	return c
}

// ask sends a request and reads an answer of some length, and what follows it until
// the end if the answer is a refusal.
func ask(t *testing.T, c net.Conn, request string, length int) string {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, length)
	if n, err := io.ReadFull(c, answer); err != nil {
		t.Fatalf("to %q the answer is %q: %v", request, answer[:n], err)
	}
	return string(answer)
}

// requests5 and requests4 are how a host is asked for.
func requests5(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		kind := "\x01"
		if a.Is6() {
			kind = "\x04"
		}
		return kind + string(a.AsSlice())
	}
	return "\x03" + string(byte(len(host))) + host
}

func requests4(host string, port uint16) (request string, ok bool) {
	p := string(binary.BigEndian.AppendUint16(nil, port))
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return p + "\x00\x00\x00\x01\x00" + host + "\x00", true
	case a.Is4() && (a.As4()[0] != 0 || a.IsUnspecified()): // 0.0.0.7 is the sign of a name
		return p + string(a.AsSlice()) + "\x00", true
	}
	return "", false
}

// TestSOCKSKeepsOut asks for everything that is local, without a grant: neither a
// version nor a way to write an address gets there, nor is one looked up.
func TestSOCKSKeepsOut(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	_, portText, _ := net.SplitHostPort(testpeer.Serve(t, testpeer.Say("reached\n")))
	target := netip.MustParseAddrPort("127.0.0.1:" + portText)
	hosts := []string{"127.0.0.1", "127.8.8.8", "localhost", "LocalHost", "0.0.0.0", "0.0.0.7", "169.254.1.1", "224.0.0.1", "255.255.255.255",
		"::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "64:ff9b::7f00:1", "fe80::1", "ff02::1"}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		hosts = append(hosts, a.(*net.IPNet).IP.String())
	}
	d := socksService(t, certs, "")
	port := string(binary.BigEndian.AppendUint16(nil, target.Port()))
	for _, host := range hosts {
		const denied5, denied4 = "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00", "\x00\x5b\x00\x00\x00\x00\x00\x00"
		for _, command := range []string{"\x01", "\xf0"} {
			c := socksClient(t, d.Addr("socks"), certs)
			if got := ask(t, c, "\x05\x01\x00", 2); got != "\x05\x00" {
				t.Fatalf("the answer to the methods is %q", got)
			}
			if got := ask(t, c, "\x05"+command+"\x00"+requests5(host)+port, len(denied5)); got != denied5 {
				t.Errorf("SOCKS 5, %x %s: %q", command, host, got)
			}
			if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
				t.Errorf("SOCKS 5, %x %s: behind the refusal come %q and %v, not close_notify", command, host, rest, err)
			}
			if request, ok := requests4(host, target.Port()); ok {
				c = socksClient(t, d.Addr("socks"), certs)
				if got := ask(t, c, "\x04"+command+request, len(denied4)); got != denied4 {
					t.Errorf("SOCKS 4, %x %s: %q", command, host, got)
				}
			}
			c = socksClient(t, d.Addr("socks"), certs)
			if got := ask(t, c, "\x04"+command+port+"\x00\x00\x00\x01\x00"+host+"\x00", len(denied4)); got != denied4 {
				t.Errorf("SOCKS 4a, %x %s: %q", command, host, got)
			}
		}
	}
	d.WaitLine(`LOG4\[\d+\]: .*connecting to "localhost:` + portText + `": not allowed by the configuration`)
}

// TestSOCKSResolve asks for addresses alone, and where a connection comes from.
func TestSOCKSResolve(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	var from string
	reached := make(chan struct{})
	addr := testpeer.Serve(t, func(c net.Conn) {
		from = c.RemoteAddr().String()
		close(reached)
		testpeer.Echo(c)
	})
	d := socksService(t, certs, grantLoopback)
	c := socksClient(t, d.Addr("socks"), certs)
	if got := ask(t, c, "\x05\x01\x00\x05\xf0\x00\x03\x09localhost\x00\x00", 12); got != "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00" {
		t.Errorf("SOCKS 5 resolves localhost to %q", got)
	}
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("behind the address come %q and %v, not close_notify", rest, err)
	}
	c = socksClient(t, d.Addr("socks"), certs)
	if got := ask(t, c, "\x04\xf0\x00\x00\x00\x00\x00\x01joe\x00localhost\x00", 8); got != "\x00\x5a\x00\x00\x7f\x00\x00\x01" {
		t.Errorf("SOCKS 4a resolves localhost to %q", got)
	}
	c = socksClient(t, d.Addr("socks"), certs)
	port := netip.MustParseAddrPort(addr).Port()
	got := ask(t, c, "\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01"+string(binary.BigEndian.AppendUint16(nil, port)), 12)
	<-reached
	if bound := netip.AddrPortFrom(netip.AddrFrom4([4]byte([]byte(got[6:10]))), binary.BigEndian.Uint16([]byte(got[10:]))); bound.String() != from {
		t.Errorf("the reply says that the connection comes from %s, it comes from %s", bound, from)
	}
}

// there wants a line to come back from an echo, without a half-close, which microsocks
// does not keep.
func there(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	const line = "there and back\n"
	if got := ask(t, c, line, len(line)); got != line {
		t.Errorf("%q comes back", got)
	}
}

// TestMicrosocks has the client go through a SOCKS server that has no TLS, behind a
// service of ours that adds it.
func TestMicrosocks(t *testing.T) {
	t.Parallel()
	program := testpeer.Need(t, "microsocks", "microsocks")
	certs := testpeer.Certs(t)
	backend := testpeer.Serve(t, testpeer.Echo)
	_, port, _ := net.SplitHostPort(backend)
	open, login := testpeer.FreePort(t), testpeer.FreePort(t)
	for _, args := range [][]string{{"-p", open}, {"-p", login, "-u", "joe", "-P", "secret word"}} {
		p := testpeer.Run(t, program, append([]string{"-i", "127.0.0.1"}, args...)...)
		p.WaitPort("tcp", "127.0.0.1:"+args[1])
	}
	server := start(t, `
cert = `+certs.Server+`
accept = 127.0.0.1:0
[open]
connect = 127.0.0.1:`+open+`
[login]
connect = 127.0.0.1:`+login+`
`)
	client := start(t, `
client = yes
accept = 127.0.0.1:0
protocol = socks
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
[address]
connect = `+server.Addr("open")+`
protocolHost = `+backend+`
[name]
connect = `+server.Addr("open")+`
protocolHost = localhost:`+port+`
[login]
connect = `+server.Addr("login")+`
protocolHost = `+backend+`
protocolUsername = joe
protocolPassword = secret word
[guess]
connect = `+server.Addr("login")+`
protocolHost = `+backend+`
protocolUsername = joe
protocolPassword = guessed word
[anonymous]
connect = `+server.Addr("login")+`
protocolHost = `+backend+`
[refused]
connect = `+server.Addr("open")+`
protocolHost = 127.0.0.1:`+closedPort+`
`)
	for _, service := range []string{"address", "name", "login"} {
		there(t, client.Addr(service))
	}
	for service, text := range map[string]string{
		"guess":     `SOCKS server refused user name and password$`,
		"anonymous": `SOCKS server wants a login: add protocolUsername and protocolPassword$`,
		"refused":   `SOCKS server refused "127\.0\.0\.1:` + closedPort + `": connection refused \(code 5\)$`,
	} {
		c, err := net.Dial("tcp", client.Addr(service))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		client.WaitLine(`LOG4\[\d\]: .*` + text)
	}
	if n := client.Count("secret word|guessed word"); n != 0 {
		t.Errorf("%d lines of the log hold a password", n)
	}
}

// TestStunnelSOCKS has the client ask stunnel's SOCKS server. That one keeps clients
// from 127.0.0.0/8, and not from 0.0.0.0, which leads to the same place.
func TestStunnelSOCKS(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	certs := testpeer.Certs(t)
	backend := testpeer.Serve(t, testpeer.Echo)
	_, port, _ := net.SplitHostPort(backend)
	server := testpeer.Start(t, stunnel, `
[socks]
accept = 127.0.0.1:0
cert = `+certs.Server+`
protocol = socks
`)
	client := start(t, `
client = yes
accept = 127.0.0.1:0
protocol = socks
connect = `+server.Addr("socks")+`
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
[open]
protocolHost = 0.0.0.0:`+port+`
[mapped]
protocolHost = [::ffff:127.0.0.1]:`+port+`
[denied]
protocolHost = `+backend+`
[unresolved]
protocolHost = nowhere.invalid:443
`)
	for _, service := range []string{"open", "mapped"} {
		c, err := net.Dial("tcp", client.Addr(service))
		if err != nil {
			t.Fatal(err)
		}
		bulk(t, c)
	}
	for service, text := range map[string]string{
		"denied":     `SOCKS server refused "127\.0\.0\.1:` + port + `": not allowed by its rules \(code 2\)$`,
		"unresolved": `SOCKS server refused "nowhere\.invalid:443": host unreachable \(code 4\)$`,
	} {
		c, err := net.Dial("tcp", client.Addr(service))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		client.WaitLine(`LOG4\[\d\]: .*` + text)
	}
}
