package main

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// xmppConf is Prosody's configuration but for what depends on the run.
const xmppConf = `run_as_root = true
daemonize = false
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
c2s_direct_tls_ports = {}
s2s_ports = {}
http_ports = {}
https_ports = {}
authentication = "internal_plain"
allow_unencrypted_plain_auth = true
log = { { levels = { min = "info" }, to = "console" } }
`

// xmppServer runs Prosody for the user joe of the domain localhost, with TLS for everyone
// if it has a certificate, and gives its address.
func xmppServer(t *testing.T, certificate string) string {
	t.Helper()
	program := testpeer.Need(t, "prosody", "prosody")
	testpeer.NeedRoot(t, "prosody")
	dir := t.TempDir()
	port := testpeer.FreePort(t)
	conf := xmppConf + fmt.Sprintf("pidfile = %q\ndata_path = %q\nc2s_ports = { %s }\n", filepath.Join(dir, "pid"), dir, port)
	if certificate == "" {
		conf += "modules_enabled = { \"saslauth\" }\nc2s_require_encryption = false\nVirtualHost \"localhost\"\n"
	} else {
		conf += fmt.Sprintf("modules_enabled = { \"saslauth\", \"tls\" }\nc2s_require_encryption = true\n"+
			"VirtualHost \"localhost\"\n ssl = { key = %q, certificate = %[1]q }\n", certificate)
	}
	accounts := filepath.Join(dir, "localhost", "accounts")
	err := os.MkdirAll(accounts, 0o755)
	for name, text := range map[string]string{
		filepath.Join(accounts, "joe.dat"):    "return { password = \"secret\" };\n",
		filepath.Join(dir, "prosody.cfg.lua"): conf,
	} {
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	server := testpeer.Run(t, program, "-F", "--config", filepath.Join(dir, "prosody.cfg.lua"))
	server.WaitLine(`Activated service 'c2s' on \[127\.0\.0\.1\]:` + port)
	server.WaitPort("tcp", "127.0.0.1:"+port)
	return "127.0.0.1:" + port
}

// An xmppStream is the client's end of one.
type xmppStream struct {
	t    *testing.T
	conn net.Conn
	got  string
}

const xmppHeader = "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' " +
	"xmlns:stream='http://etherx.jabber.org/streams'>"

// say sends a text and reads until the answer holds another.
func (s *xmppStream) say(text, until string) {
	s.t.Helper()
	if _, err := s.conn.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
	s.got = ""
	for buf := make([]byte, 4096); !strings.Contains(s.got, until); {
		n, err := s.conn.Read(buf)
		s.got += string(buf[:n])
		if err != nil {
			s.t.Fatalf("the answer to %q is %q and %v, without %q", text, s.got, err, until)
		}
	}
}

// logIn opens a stream and logs in (RFC 6120 section 6).
func (s *xmppStream) logIn() {
	s.t.Helper()
	s.say(xmppHeader, "</stream:features>")
	if !strings.Contains(s.got, "<mechanism>PLAIN</mechanism>") || strings.Contains(s.got, "<starttls") {
		s.t.Fatalf("the features are %q, not those of a stream with TLS or no need for it", s.got)
	}
	response := base64.StdEncoding.EncodeToString([]byte("\x00joe\x00secret"))
	s.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+response+"</auth>", "<success ")
	s.say("</stream:stream>", "</stream:stream>")
}

func dialXMPP(t *testing.T, addr string) *xmppStream {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testpeer.Patience)); err != nil {
		t.Fatal(err)
	}
	return &xmppStream{t: t, conn: conn}
}

// TestXMPPServer adds STARTTLS to a Prosody without TLS.
func TestXMPPServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
[xmpp]
accept = 127.0.0.1:0
connect = `+xmppServer(t, "")+`
cert = `+certs.Server+`
protocol = xmpp
`)
	s := dialXMPP(t, d.Addr("xmpp"))
	s.say(xmppHeader, "<required/></starttls></stream:features>")
	s.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	conn := tls.Client(s.conn, &tls.Config{RootCAs: certs.Pool(t), ServerName: "localhost"})
	s.conn = conn
	s.logIn()
	conn.Close()
	d.WaitLine(`LOG5\[0\]: Connection closed: `)

	for _, v := range versions {
		c := sClient(t, d, "xmpp", v.openssl, "-starttls", "xmpp", "-xmpphost", "localhost", "-CAfile", certs.Root, "-verify_return_error", "-no_ign_eof")
		c.WaitLine("^New, " + v.log)
		fmt.Fprintln(c.Stdin, xmppHeader+"</stream:stream>")
		c.WaitLine(`<mechanism>PLAIN</mechanism>.*</stream:stream>`)
		c.Wait()
	}
	d.WaitLines(`LOG5\[\d+\]: Connection closed: `, 1+len(versions))
}

// TestXMPPClient logs in without TLS at a Prosody that asks for it.
func TestXMPPClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
connect = `+xmppServer(t, certs.Server)+`
protocol = xmpp
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
[xmpp]
[stranger]
protocolHost = stranger.example
sni = localhost
`)
	s := dialXMPP(t, d.Addr("xmpp"))
	s.logIn()
	d.WaitLine(`LOG6\[0\]: TLS connected: new session negotiated$`)
	s.conn.Close()
	d.WaitLine(`LOG5\[0\]: Connection closed: `)

	s = dialXMPP(t, d.Addr("stranger"))
	s.say(xmppHeader, "<host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
	d.WaitLine(`LOG[34]\[1\]: .*server refused the stream: "host-unknown"`)
}
