package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// firstLine is a backend that answers with the first line that it hears.
func firstLine(c net.Conn) {
	line, _ := bufio.NewReader(c).ReadString('\n') // a header cut short is its own answer
	io.WriteString(c, line)
	// What comes behind it is taken too: unread it would turn the end into a reset.
	c.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, c)
}

// hears gives what comes over a connection after a word is sent.
func hears(t *testing.T, c net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		t.Fatal(err)
	}
	return reads(t, c)
}

// reads gives what comes over a connection by itself.
func reads(t *testing.T, c net.Conn) string {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("after %q: %v", text, err)
	}
	return string(text)
}

// secure is a connection to a service by TLS.
func secure(t *testing.T, certs *testpeer.Certificates, addr string, certificates ...tls.Certificate) *tls.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: certs.Pool(t), ServerName: "localhost", Certificates: certificates})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plainly is a connection without TLS.
func plainly(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// headerOf is the text header of a connection's own ends.
func headerOf(c net.Conn) string {
	from, to := c.LocalAddr().(*net.TCPAddr), c.RemoteAddr().(*net.TCPAddr)
	family := "TCP4"
	if from.IP.To4() == nil {
		family = "TCP6"
	}
	return fmt.Sprintf("PROXY %s %s %s %d %d\r\n", family, from.IP, to.IP, from.Port, to.Port)
}

// TestProxyLine holds the line against stunnel's: one test for both.
func TestProxyLine(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	backend := testpeer.Serve(t, firstLine)
	for name, program := range map[string]string{"ours": self(t), "stunnel": testpeer.Need(t, "stunnel4", "stunnel4")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testpeer.Start(t, program, `
cert = `+certs.Server+`
connect = `+backend+`
protocol = proxy
[v4]
accept = 127.0.0.1:0
[v6]
accept = ::1:0
`)
			for _, service := range []string{"v4", "v6"} {
				c := secure(t, certs, d.Addr(service))
				if want, got := headerOf(c), hears(t, c); got != want {
					t.Errorf("%s: the backend hears %q, want %q", service, got, want)
				}
			}
		})
	}
}

// balancer runs HAProxy with some of a config until it listens at addr.
func balancer(t *testing.T, addr, conf string) *testpeer.Process {
	t.Helper()
	program := testpeer.Need(t, "haproxy", "haproxy")
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := "global\n log stdout format raw local0\ndefaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n timeout server 20s\n" + conf
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testpeer.Run(t, program, "-db", "-f", file)
	p.WaitPort("tcp", addr)
	return p
}

// TestHAProxyBackend has HAProxy tell whom it takes a connection to be from: in server
// mode behind TLS, in client mode before it.
func TestHAProxyBackend(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	plain, encrypted := "127.0.0.1:"+testpeer.FreePort(t), "127.0.0.1:"+testpeer.FreePort(t)
	const tell = ` http-request return status 200 content-type text/plain lf-string "%[src] %[dst] %[src_port] %[dst_port] %[fc_pp_authority]\n"`
	balancer(t, plain, "frontend told\n mode http\n bind "+plain+" accept-proxy\n bind "+encrypted+" accept-proxy ssl crt "+certs.Server+"\n"+tell+"\n")
	d := start(t, `
accept = 127.0.0.1:0
protocol = proxy
[server-1]
cert = `+certs.Server+`
connect = `+plain+`
[server-2]
cert = `+certs.Server+`
connect = `+plain+`
guestOption = version=2
[server-tls]
cert = `+certs.Server+`
connect = `+plain+`
guestOption = version=2
guestOption = tls=yes
[client-1]
client = yes
connect = `+encrypted+`
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
[client-2]
client = yes
connect = `+encrypted+`
guestOption = version=2
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
	for _, service := range []string{"server-1", "server-2", "server-tls", "client-1", "client-2"} {
		var c net.Conn
		if strings.HasPrefix(service, "server") {
			c = secure(t, certs, d.Addr(service))
		} else {
			c = plainly(t, d.Addr(service))
		}
		want := strings.TrimSuffix(strings.TrimPrefix(headerOf(c), "PROXY TCP4 "), "\r\n") + " \n"
		if service == "server-tls" {
			want = strings.TrimSuffix(want, "\n") + "localhost\n"
		}
		request, err := http.NewRequest("GET", "http://localhost/", nil)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil }}, Timeout: testpeer.Patience}
		response, err := client.Do(request)
		if err != nil {
			t.Fatalf("%s: %v", service, err)
		}
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		client.CloseIdleConnections()
		if string(got) != want || err != nil {
			t.Errorf("%s: HAProxy says %q, want %q: %v", service, got, want, err)
		}
	}
}

// TestHAProxySends has HAProxy send each kind of header ahead of TLS, and nginx.
func TestHAProxySends(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	backend := testpeer.Serve(t, firstLine)
	d := start(t, `
accept = 127.0.0.1:0
cert = `+certs.Server+`
connect = `+backend+`
protocol = proxy
guestOption = accept=yes
[trusting]
guestOption = from=127.0.0.0/8
[distrusting]
guestOption = from=192.0.2.0/24
guestOption = from=::/0
`)
	kinds := []string{"send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn",
		"send-proxy-v2-ssl-cn proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn,ssl-cipher,cert-sig,cert-key"}
	var conf strings.Builder
	var addrs []string
	listen := func(service, kind string) {
		addr := "127.0.0.1:" + testpeer.FreePort(t)
		fmt.Fprintf(&conf, "listen l%d\n bind %s ssl crt %s verify optional ca-file %s\n unique-id-format %%{+X}o%%ci\n server s %s %s ssl sni str(localhost) ca-file %s\n",
			len(addrs), addr, certs.Server, certs.Root, d.Addr(service), kind, certs.Root)
		addrs = append(addrs, addr)
	}
	for _, kind := range kinds {
		listen("trusting", kind)
	}
	listen("distrusting", "send-proxy")
	balancer(t, addrs[0], conf.String())
	for i, kind := range kinds {
		c := secure(t, certs, addrs[i], certs.Pair(t, certs.Client))
		want, source := headerOf(c), c.LocalAddr()
		if got := hears(t, c); got != want {
			t.Errorf("%s: the backend hears %q, want %q", kind, got, want)
		}
		d.WaitLine(`LOG6\[\d+\]: proxy: source="` + source.String() + `"$`)
	}
	c := secure(t, certs, addrs[len(addrs)-1])
	defer c.Close()
	d.WaitLine(`LOG4\[\d+\]: .*sender "127\.0\.0\.1:\d+" is none that guestOption from trusts$`)
}

// TestNginxProxy has nginx send a header, and take those that are sent to it.
func TestNginxProxy(t *testing.T) {
	t.Parallel()
	program := testpeer.Need(t, "nginx", "nginx")
	const module = "/usr/lib/nginx/modules/ngx_stream_module.so"
	testpeer.NeedFile(t, module, "libnginx-mod-stream")
	certs := testpeer.Certs(t)
	told, front := "127.0.0.1:"+testpeer.FreePort(t), "127.0.0.1:"+testpeer.FreePort(t)
	d := start(t, `
accept = 127.0.0.1:0
cert = `+certs.Server+`
connect = `+told+`
protocol = proxy
[version-1]
[version-2]
guestOption = version=2
guestOption = tls=yes
[accept]
guestOption = accept=yes
guestOption = from=127.0.0.1
`)
	dir := t.TempDir()
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(`load_module `+module+`;
daemon off;
pid `+dir+`/pid;
error_log stderr;
worker_processes 1;
events { }
stream {
	server {
		listen `+told+` proxy_protocol;
		return "PROXY TCP4 $proxy_protocol_addr $proxy_protocol_server_addr $proxy_protocol_port $proxy_protocol_server_port\r\n";
	}
	server {
		listen `+front+`;
		proxy_pass `+d.Addr("accept")+`;
		proxy_protocol on;
		proxy_ssl on;
	}
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testpeer.Run(t, program, "-e", "stderr", "-p", dir, "-c", file)
	p.WaitPort("tcp", front)
	// Nginx answers and closes unasked; a word that it has not read would make that a reset.
	for _, service := range []string{"version-1", "version-2"} {
		c := secure(t, certs, d.Addr(service))
		if want, got := headerOf(c), reads(t, c); got != want {
			t.Errorf("%s: nginx says %q, want %q", service, got, want)
		}
	}
	c := plainly(t, front)
	if want, got := headerOf(c), reads(t, c); got != want {
		t.Errorf("from nginx to nginx: %q, want %q", got, want)
	}
}

// TestCurlProxyHeader has curl send a header, as a balancer would, ahead of TLS.
func TestCurlProxyHeader(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a page\n") }))
	defer site.Close()
	d := start(t, `
[proxy]
accept = 127.0.0.1:0
cert = `+certs.Server+`
connect = `+site.Listener.Addr().String()+`
protocol = proxy
guestOption = accept=yes
guestOption = from=127.0.0.0/8
guestOption = send=no
`)
	args := []string{"-sS4", "--noproxy", "*", "--cacert", certs.Root, "https://" + d.Addr("proxy") + "/"}
	c := testpeer.Run(t, curl, append([]string{"--haproxy-protocol"}, args...)...)
	if status := c.Wait(); status != 0 || c.Output() != "a page" {
		t.Errorf("exit status %d, %q", status, c.Output())
	}
	d.WaitLine(`LOG6\[0\]: proxy: source="127\.0\.0\.1:\d+"$`)
	if status := testpeer.Run(t, curl, args...).Wait(); status == 0 {
		t.Error("without a header the page comes all the same")
	}
	d.WaitLine(`LOG4\[1\]: .*sender began with TLS, without the PROXY header$`)
}

// TestProxyOracle has another implementation read what is sent, and send.
func TestProxyOracle(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	headers := make(chan *proxyproto.Header, 1)
	backend := testpeer.Serve(t, func(c net.Conn) {
		h, err := proxyproto.Read(bufio.NewReader(c))
		if err != nil {
			t.Error(err)
		}
		headers <- h
	})
	d := start(t, `
accept = 127.0.0.1:0
cert = `+certs.Server+`
connect = `+backend+`
protocol = proxy
guestOption = version=2
[send]
guestOption = tls=yes
CAfile = `+certs.Root+`
verifyChain = yes
[accept]
guestOption = accept=yes
guestOption = from=127.0.0.0/8
`)
	c := secure(t, certs, d.Addr("send"), certs.Pair(t, certs.Client))
	h := next(t, headers)
	if h.Version != 2 || h.SourceAddr.String() != c.LocalAddr().String() || h.DestinationAddr.String() != c.RemoteAddr().String() {
		t.Errorf("the header is %+v", h)
	}
	c.Close()
	tlvs, err := h.TLVs()
	if err != nil {
		t.Fatal(err)
	}
	ssl, ok := tlvparse.FindSSL(tlvs)
	if !ok || !ssl.ClientSSL() || !ssl.ClientCertConn() || !ssl.ClientCertSess() || !ssl.Verified() {
		t.Errorf("of TLS it says %+v", ssl)
	}
	version, _ := ssl.SSLVersion()
	cn, _ := ssl.ClientCN()
	cipher, _ := ssl.SSLCipher()
	if version != "TLSv1.3" || cn != "client" || !strings.HasPrefix(cipher, "TLS_") {
		t.Errorf("of TLS it says %q, %q and %q", version, cn, cipher)
	}

	for _, h := range []*proxyproto.Header{
		proxyproto.HeaderProxyFromAddrs(1, tcp("203.0.113.5:5000"), tcp("192.0.2.80:80")),
		proxyproto.HeaderProxyFromAddrs(1, tcp("[2001:db8::5]:5000"), tcp("[2001:db8::80]:80")),
		proxyproto.HeaderProxyFromAddrs(2, tcp("203.0.113.5:5000"), tcp("192.0.2.80:80")),
		proxyproto.HeaderProxyFromAddrs(2, tcp("[2001:db8::5]:5000"), tcp("[2001:db8::80]:80")),
	} {
		raw := plainly(t, d.Addr("accept"))
		if _, err := h.WriteTo(raw); err != nil {
			t.Fatal(err)
		}
		c := tls.Client(raw, &tls.Config{RootCAs: certs.Pool(t), ServerName: "localhost"})
		if err := c.Handshake(); err != nil {
			t.Fatalf("%v: %v", h.SourceAddr, err)
		}
		if got := next(t, headers); got.SourceAddr.String() != h.SourceAddr.String() || got.DestinationAddr.String() != h.DestinationAddr.String() {
			t.Errorf("%v and %v arrive as %v and %v", h.SourceAddr, h.DestinationAddr, got.SourceAddr, got.DestinationAddr)
		}
		c.Close()
	}
}

// next is a header that has come, or comes within Patience.
func next(t *testing.T, headers chan *proxyproto.Header) *proxyproto.Header {
	t.Helper()
	select {
	case h := <-headers:
		return h
	case <-time.After(testpeer.Patience):
		t.Fatal("no header has come")
		return nil
	}
}

func tcp(text string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		panic(err) // an address of the test's own
	}
	return a
}
