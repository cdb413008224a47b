package main

import (
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

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// httpService starts a TLS service before an HTTP server.
func httpService(t *testing.T, certs *testpeer.Certificates, backend string) *testpeer.Daemon {
	t.Helper()
	return start(t, "[https]\naccept = 127.0.0.1:0\nconnect = "+backend+"\ncert = "+certs.Server+"\n")
}

// fetch gets a page over TLS.
func fetch(t *testing.T, certs *testpeer.Certificates, addr string) (status int, body string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: certs.Pool(t), ServerName: "localhost"}}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport, Timeout: testpeer.Patience}).Get("https://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// TestCurl uploads and downloads through a TLS service, twice over one connection.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v tls=%v\n", n, err, r.TLS != nil)
	}))
	t.Cleanup(backend.Close)
	d := httpService(t, certs, backend.Listener.Addr().String())
	file := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(file, make([]byte, bulkSize), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "https://" + d.Addr("https") + "/"
	c := testpeer.Run(t, curl, "-sS", "--http1.1", "--cacert", certs.Root, "-T", file, url, "--next", "-sS", "--http1.1", "--cacert", certs.Root, url)
	if status := c.Wait(); status != 0 {
		t.Errorf("curl's exit status is %d", status)
	}
	if got, want := c.Output(), "1048576 <nil> tls=false\n0 <nil> tls=false"; got != want {
		t.Errorf("curl prints %q, want %q", got, want)
	}
	d.WaitLine(`LOG5\[0\]: Connection closed: `)
	if n := d.Count(`accepted connection from`); n != 1 {
		t.Errorf("%d connections, not one", n)
	}
}

// haproxy runs with a configuration and waits for its port.
func haproxy(t *testing.T, addr, conf string) *testpeer.Process {
	t.Helper()
	program := testpeer.Need(t, "haproxy", "haproxy")
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := "defaults\n timeout connect 10s\n timeout client 10s\n timeout server 10s\n" + conf
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testpeer.Run(t, program, "-db", "-f", file)
	p.WaitPort("tcp", addr)
	return p
}

func TestHaproxyBackend(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	haproxy(t, addr, "frontend f\n mode http\n bind "+addr+"\n http-request return status 200 content-type text/plain string \"haproxy answers\"\n")
	d := httpService(t, certs, addr)
	if status, body := fetch(t, certs, d.Addr("https")); status != 200 || body != "haproxy answers" {
		t.Errorf("%d %q", status, body)
	}
}

// TestHaproxyServer has haproxy decrypt what a client service sends.
func TestHaproxyServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	haproxy(t, addr, "listen l\n mode tcp\n bind "+addr+" ssl crt "+certs.Server+"\n server s "+testpeer.Serve(t, testpeer.EchoLate)+"\n")
	d := start(t, `
[c]
client = yes
accept = 127.0.0.1:0
connect = `+addr+`
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
	for i, how := range []string{"new session negotiated", "previous session reused"} {
		c, err := net.Dial("tcp", d.Addr("c"))
		if err != nil {
			t.Fatal(err)
		}
		bulk(t, c)
		d.WaitLine(fmt.Sprintf(`LOG6\[%d\]: TLS connected: %s$`, i, how))
		d.WaitLine(fmt.Sprintf(`LOG5\[%d\]: Connection closed: 1048576 byte\(s\) sent to TLS, 1048576 byte`, i))
	}
}

// nginx runs with a configuration and waits for its port. It is one process, so
// that it ends with the test.
func nginx(t *testing.T, addr, conf string) *testpeer.Process {
	t.Helper()
	program := testpeer.Need(t, "nginx", "nginx")
	dir := t.TempDir()
	file := filepath.Join(dir, "nginx.conf")
	text := strings.ReplaceAll(conf+`
daemon off;
master_process off;
pid DIR/pid;
error_log stderr notice;
events {}
`, "DIR", dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testpeer.Run(t, program, "-e", "stderr", "-p", dir, "-c", file)
	p.WaitPort("tcp", addr)
	return p
}

func TestNginxBackend(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	nginx(t, addr, `http {
	access_log off;
	client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
	server { listen `+addr+`; location / { return 200 "nginx answers"; } }
}
`)
	d := httpService(t, certs, addr)
	if status, body := fetch(t, certs, d.Addr("https")); status != 200 || body != "nginx answers" {
		t.Errorf("%d %q", status, body)
	}
}

// TestNginxClient has nginx's stream module speak TLS to a service, with a client
// certificate.
func TestNginxClient(t *testing.T) {
	t.Parallel()
	module := "/usr/lib/nginx/modules/ngx_stream_module.so"
	testpeer.Need(t, "nginx", "nginx")
	testpeer.NeedFile(t, module, "libnginx-mod-stream")
	certs := testpeer.Certs(t)
	d := start(t, `
[s]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, testpeer.Say("hello"))+`
cert = `+certs.Server+`
verifyChain = yes
CAfile = `+certs.Root+`
`)
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	nginx(t, addr, `load_module `+module+`;
stream { server {
	listen `+addr+`;
	proxy_pass `+d.Addr("s")+`;
	proxy_ssl on; proxy_ssl_verify on; proxy_ssl_verify_depth 2; proxy_ssl_name localhost;
	proxy_ssl_trusted_certificate `+certs.Root+`;
	proxy_ssl_certificate `+certs.Client+`; proxy_ssl_certificate_key `+certs.Client+`;
} }
`)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, err := io.ReadAll(c); string(text) != "hello" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	// Connection 0 is the look whether nginx listens.
	d.WaitLine(`LOG5\[\d\]: Certificate accepted at depth=0: O=Test, CN=client$`)
	d.WaitLine(`LOG5\[\d\]: Connection closed: 5 byte\(s\) sent to TLS, 0 byte`)
}
