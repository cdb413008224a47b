package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// lmtpConf is Dovecot's configuration of local delivery alone, but for what depends on
// the run. Everyone has a mailbox.
const lmtpConf = `protocols = lmtp
log_path = /dev/stderr
mail_debug = yes
postmaster_address = postmaster@example.test
first_valid_uid = 1
first_valid_gid = 1
passdb {
  driver = static
  args = nopassword=y
}
`

// lmtpServer runs Dovecot as an LMTP server, with TLS if it has a certificate, and gives
// its address and the directory of joe's new mail.
func lmtpServer(t *testing.T, certificate string) (addr, inbox string) {
	t.Helper()
	program := testpeer.Need(t, "dovecot", "dovecot-lmtpd")
	testpeer.NeedFile(t, "/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
	testpeer.NeedRoot(t, "dovecot")
	owner, err := user.Lookup("dovecot")
	if err != nil {
		t.Fatal(err)
	}
	// Not the test's directory, which other users cannot enter, and whose name is too
	// long for the sockets in it.
	dir, err := os.MkdirTemp("", "lmtp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	mail := filepath.Join(dir, "mail")
	err = os.Chmod(dir, 0o755)
	if err == nil {
		err = os.Mkdir(mail, 0o700)
	}
	if err == nil {
		err = os.Chown(mail, uid, gid)
	}
	port := testpeer.FreePort(t)
	conf := lmtpConf + fmt.Sprintf("base_dir = %s/run\nstate_dir = %[1]s/run\nmail_location = maildir:%s/%%n\n", dir, mail) +
		fmt.Sprintf("userdb {\n driver = static\n args = uid=%s gid=%s home=%s/%%n\n}\n", owner.Uid, owner.Gid, mail) +
		fmt.Sprintf("service lmtp {\n inet_listener lmtp {\n  address = 127.0.0.1\n  port = %s\n }\n}\n", port)
	if certificate == "" {
		conf += "ssl = no\n"
	} else {
		conf += fmt.Sprintf("ssl = required\nssl_cert = <%s\nssl_key = <%[1]s\n", certificate)
	}
	file := filepath.Join(dir, "dovecot.conf")
	if err == nil {
		err = os.WriteFile(file, []byte(conf), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := testpeer.Run(t, program, "-F", "-c", file)
	// Its children have process groups of their own.
	t.Cleanup(func() { exec.Command(program, "-c", file, "stop").Run() })
	server.WaitLine(`starting up for lmtp`)
	addr = "127.0.0.1:" + port
	server.WaitPort("tcp", addr)
	return addr, filepath.Join(mail, "joe", "new")
}

// inInbox wants one mail in a directory, with a text in it.
func inInbox(t *testing.T, inbox, text string) {
	t.Helper()
	files, err := os.ReadDir(inbox)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d mails have come: %v", len(files), err)
	}
	mail, err := os.ReadFile(filepath.Join(inbox, files[0].Name()))
	if err != nil || !strings.Contains(string(mail), text) {
		t.Errorf("this mail has come: %s (%v)", mail, err)
	}
}

// swaksLMTP delivers a mail to joe.
func swaksLMTP(t *testing.T, addr string, options ...string) *testpeer.Process {
	t.Helper()
	swaks := testpeer.Need(t, "swaks", "swaks")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	c := testpeer.Run(t, swaks, append(options, "--protocol", "LMTP", "--server", host, "--port", port, "--helo", "swaks.example",
		"--from", "a@example.test", "--to", "joe@example.test", "--header", "Subject: through TLS", "--body", "hello")...)
	if status := c.Wait(); status != 0 {
		t.Fatalf("swaks's exit status is %d", status)
	}
	return c
}

// TestLMTPServer adds STARTTLS to a Dovecot without TLS.
func TestLMTPServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr, inbox := lmtpServer(t, "")
	d := start(t, `
[lmtp]
accept = 127.0.0.1:0
connect = `+addr+`
cert = `+certs.Server+`
protocol = lmtp
`)
	c := swaksLMTP(t, d.Addr("lmtp"), "--tls")
	c.WaitLine(`^=== TLS started with cipher TLSv1\.3`)
	inInbox(t, inbox, "Subject: through TLS\n")
	d.WaitLine(`LOG5\[0\]: Connection closed: `)

	s := sClient(t, d, "lmtp", "-starttls", "lmtp", "-name", "client.example", "-CAfile", certs.Root, "-verify_return_error", "-crlf")
	s.WaitLine("^New, TLSv1.3")
	s.Stdin.Write([]byte("LHLO client.example\n"))
	s.WaitLine("^250 .*")
	s.Stdin.Write([]byte("quit\n"))
	s.WaitLine("^221 ")
	s.Wait()
	d.WaitLine(`LOG5\[1\]: Connection closed: `)
}

// TestLMTPClient delivers without TLS to a Dovecot that asks for it.
func TestLMTPClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr, inbox := lmtpServer(t, certs.Server)
	d := start(t, `
[lmtp]
client = yes
accept = 127.0.0.1:0
connect = `+addr+`
protocol = lmtp
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
	swaksLMTP(t, d.Addr("lmtp"))
	inInbox(t, inbox, "Subject: through TLS\n")
	d.WaitLine(`LOG6\[0\]: TLS connected: new session negotiated$`)
	d.WaitLine(`LOG5\[0\]: Connection closed: `)
}
