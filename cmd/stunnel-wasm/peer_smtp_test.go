package main

import (
	"io"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// message is a mail as the clients are given it.
const message = "From: a@example.test\r\nTo: b@example.test\r\nSubject: through TLS\r\n\r\nhello\r\n..dots\r\n"

// mailServer starts a service that adds STARTTLS to a sink.
func mailServer(t *testing.T, certs *testpeer.Certificates, options string) (*testpeer.Daemon, *testpeer.Mailbox) {
	t.Helper()
	sink := testpeer.Sink(t)
	return start(t, `
[smtp]
accept = 127.0.0.1:0
connect = `+sink.Addr+`
cert = `+certs.Server+`
protocol = smtp
`+options), sink
}

// delivered wants one mail in the sink, and that the sink knows nothing of TLS.
func delivered(t *testing.T, sink *testpeer.Mailbox) testpeer.Mail {
	t.Helper()
	mails := sink.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails have come", len(mails))
	}
	m := mails[0]
	if m.From != "a@example.test" || m.To != "b@example.test" || !strings.Contains(m.Data, "Subject: through TLS\n") || m.TLS {
		t.Errorf("this mail has come: %+v", m)
	}
	if slices.Contains(m.Commands, "STARTTLS") {
		t.Errorf("the backend has seen STARTTLS: %q", m.Commands)
	}
	return m
}

func TestCurlMail(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	d, sink := mailServer(t, certs, "")
	c := testpeer.Run(t, curl, "-sSv", "--ssl-reqd", "--cacert", certs.Root, "smtp://"+d.Addr("smtp"),
		"--mail-from", "a@example.test", "--mail-rcpt", "b@example.test", "-T", file)
	if status := c.Wait(); status != 0 {
		t.Fatalf("curl's exit status is %d", status)
	}
	if m := delivered(t, sink); !strings.HasSuffix(m.Data, "hello\n..dots\n") {
		t.Errorf("the text is %q", m.Data)
	}
	c.WaitLine(`^< 220.*sink\.example stunnel for ESMTP`)
	d.WaitLine(`LOG6\[0\]: TLS accepted: new session negotiated$`)
	d.WaitLine(`LOG5\[0\]: Connection closed: `)
}

// TestCurlMailStolen has a client that will not speak without TLS meet a service
// with another certificate: no mail may get through.
func TestCurlMailStolen(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	d, sink := mailServer(t, certs, "")
	c := testpeer.Run(t, curl, "-sSv", "--ssl-reqd", "--cacert", certs.Other, "smtp://"+d.Addr("smtp"),
		"--mail-from", "a@example.test", "--mail-rcpt", "b@example.test", "-T", certs.Root)
	if status := c.Wait(); status != 60 {
		t.Errorf("curl's exit status is %d, not 60 for a certificate it does not trust", status)
	}
	if n := len(sink.Mails()); n != 0 {
		t.Errorf("%d mails have come", n)
	}
	d.WaitLine(`LOG3\[0\]: SSL_accept: .*tlsv1 alert unknown ca$`)
	d.WaitLine(`LOG5\[0\]: Connection (closed|reset)`)
}

func TestSwaksMail(t *testing.T) {
	t.Parallel()
	swaks := testpeer.Need(t, "swaks", "swaks")
	certs := testpeer.Certs(t)
	d, sink := mailServer(t, certs, "")
	host, port, err := net.SplitHostPort(d.Addr("smtp"))
	if err != nil {
		t.Fatal(err)
	}
	c := testpeer.Run(t, swaks, "--server", host, "--port", port, "--tls", "--helo", "swaks.example",
		"--from", "a@example.test", "--to", "b@example.test", "--header", "Subject: through TLS", "--body", "hello")
	if status := c.Wait(); status != 0 {
		t.Fatalf("swaks's exit status is %d", status)
	}
	if m := delivered(t, sink); m.Commands[0] != "EHLO swaks.example" {
		t.Errorf("the backend's first command is %q", m.Commands[0])
	}
	c.WaitLine(`^=== TLS started with cipher TLSv1\.3`)
	d.WaitLine(`LOG5\[0\]: Connection closed: `)
}

func TestOpensslMail(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d, _ := mailServer(t, certs, "")
	for _, v := range versions {
		c := sClient(t, d, "smtp", v.openssl, "-starttls", "smtp", "-name", "client.example", "-CAfile", certs.Root, "-verify_return_error", "-crlf", "-no_ign_eof")
		c.WaitLine("^New, " + v.log)
		c.Stdin.Write([]byte("EHLO client.example\n"))
		c.WaitLine("^250 8BITMIME$")
		c.Stdin.Write([]byte("quit\n")) // a line that begins with Q would be for s_client
		c.WaitLine("^221 ")
		c.Wait()
	}
	d.WaitLines(`LOG5\[\d+\]: Connection closed: `, len(versions))
}

// TestOpensslMailDetected has a client that speaks TLS at once.
func TestOpensslMailDetected(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d, _ := mailServer(t, certs, "guestOption = detectTLS=5000\n")
	c := sClient(t, d, "smtp", "-CAfile", certs.Root, "-verify_return_error", "-crlf")
	c.WaitLine(`220 second line$`)
	c.Stdin.Write([]byte("quit\n"))
	c.WaitLine("^221 ")
	c.Wait()
	d.WaitLine(`LOG5\[0\]: Connection closed: `)
}

// refused has a client greet a service and wants 421 and the end for an answer,
// although it has said more that nobody reads.
func refused(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "EHLO client.example\r\n"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if !regexp.MustCompile(`^(220[ -].*\r\n)+421 [^\n]*\r\n$`).Match(text) || err != nil {
		t.Errorf("the client gets %q and %v, not a greeting, 421 and the end", text, err)
	}
}

// TestMailLogin has the smtp guest log in at a server, in both ways, and with a
// wrong password.
func TestMailLogin(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	sink := testpeer.SecureSink(t, certs.Pair(t, certs.Server), "joe", "secret word")
	d := start(t, `
client = yes
accept = 127.0.0.1:0
connect = `+sink.Addr+`
protocol = smtp
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
protocolUsername = joe
[plain]
protocolPassword = secret word
protocolAuthentication = plain
[login]
protocolPassword = secret word
protocolAuthentication = login
[wrong]
protocolPassword = guessed word
`)
	for i, service := range []string{"plain", "login"} {
		if err := smtp.SendMail(d.Addr(service), nil, "a@example.test", []string{"b@example.test"}, []byte(message)); err != nil {
			t.Errorf("%s: %v", service, err)
			continue
		}
		mails := sink.Mails()
		if m := mails[len(mails)-1]; len(mails) != i+1 || m.User != "joe" || !m.TLS {
			t.Errorf("%s: %d mails have come, the last is %+v", service, len(mails), m)
		}
	}
	refused(t, d.Addr("wrong"))
	d.WaitLine(`LOG[34]\[2\]: .*smtp.*535 5\.7\.8 bad credentials`)
	d.WaitLine(`LOG5\[2\]: Connection `)
	if n := d.Count(`secret word|guessed word|` + "c2VjcmV0|Z3Vlc3NlZ"); n != 0 {
		t.Errorf("%d lines of the log hold a password", n)
	}
}
