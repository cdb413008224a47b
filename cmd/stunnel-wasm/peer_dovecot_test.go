package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// dovecotConf is dovecot.conf but for what depends on the run: three protocols, and one
// user, joe, with the password secret.
const dovecotConf = `protocols = imap pop3 sieve
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = static
  args = uid=%[2]s gid=%[3]s home=%[1]s/home
}
first_valid_uid = 1
mail_location = maildir:~/mail
plugin {
  sieve = file:~/sieve;active=~/active.sieve
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = %[4]s
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    address = 127.0.0.1
    port = %[5]s
  }
  inet_listener pop3s {
    port = 0
  }
}
service managesieve-login {
  inet_listener sieve {
    address = 127.0.0.1
    port = %[6]s
  }
}
`

// A mailStore is a running Dovecot, with an address for each protocol.
type mailStore struct {
	*testpeer.Process
	addr map[string]string
}

// dovecotServer runs Dovecot, which takes logins inside TLS alone if it has a
// certificate, and has no TLS otherwise. In joe's mailbox is one mail.
func dovecotServer(t *testing.T, certificate string) *mailStore {
	t.Helper()
	program := testpeer.Need(t, "dovecot", "dovecot-imapd")
	testpeer.NeedFile(t, "/usr/lib/dovecot/pop3-login", "dovecot-pop3d")
	testpeer.NeedFile(t, "/usr/lib/dovecot/managesieve-login", "dovecot-managesieved")
	testpeer.NeedRoot(t, "dovecot")
	owner, err := user.Lookup("mail")
	if err != nil {
		t.Fatal(err)
	}
	// Not the test's directory, which other users cannot enter.
	dir, err := os.MkdirTemp("", "dovecot")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &mailStore{addr: map[string]string{}}
	ports := map[string]string{}
	for _, protocol := range []string{"imap", "pop3", "sieve"} {
		ports[protocol] = testpeer.FreePort(t)
		s.addr[protocol] = "127.0.0.1:" + ports[protocol]
	}
	conf := fmt.Sprintf(dovecotConf, dir, owner.Uid, owner.Gid, ports["imap"], ports["pop3"], ports["sieve"])
	if certificate != "" {
		conf += fmt.Sprintf("ssl = required\nssl_cert = <%s\nssl_key = <%[1]s\n", certificate)
	} else {
		conf += "ssl = no\ndisable_plaintext_auth = no\n"
	}
	err = os.Chmod(dir, 0o755)
	for _, name := range []string{"run", "state", "home", "home/mail", "home/mail/new", "home/mail/cur", "home/mail/tmp"} {
		if err == nil {
			err = os.Mkdir(filepath.Join(dir, name), 0o755)
		}
	}
	for name, text := range map[string]string{"users": "joe:{PLAIN}secret\n", "dovecot.conf": conf, "home/mail/new/1": message} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	if err := filepath.WalkDir(filepath.Join(dir, "home"), func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, uid, gid))
	}); err != nil {
		t.Fatal(err)
	}
	s.Process = testpeer.Run(t, program, "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	for _, addr := range s.addr {
		s.WaitPort("tcp", addr)
	}
	return s
}

// fetchMail has curl get joe's mail through a service of the daemon.
func fetchMail(t *testing.T, url string, options ...string) *testpeer.Process {
	t.Helper()
	curl := testpeer.Need(t, "curl", "curl")
	c := testpeer.Run(t, curl, append([]string{"-sSv", "--user", "joe:secret", url}, options...)...)
	if status := c.Wait(); status != 0 {
		t.Fatalf("curl's exit status is %d", status)
	}
	c.WaitLine("^Subject: through TLS$")
	return c
}

// listScripts has sieve-connect put a script of joe's on the server and list all.
func listScripts(t *testing.T, addr string, options ...string) *testpeer.Process {
	t.Helper()
	program := testpeer.Need(t, "sieve-connect", "sieve-connect")
	dir := t.TempDir()
	for name, text := range map[string]string{"first": "keep;\n", "commands": "put " + dir + "/first first\nlist\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host, port, _ := strings.Cut(addr, ":")
	c := testpeer.Run(t, program, append([]string{"--nosrv", "--server", host, "--port", port, "--user", "joe",
		"--passwordfd", "0", "--debug", "--exec", filepath.Join(dir, "commands")}, options...)...)
	if _, err := c.Stdin.Write([]byte("secret\n")); err != nil {
		t.Fatal(err)
	}
	c.Stdin.Close()
	if status := c.Wait(); status != 0 {
		t.Fatalf("sieve-connect's exit status is %d", status)
	}
	c.WaitLine(`^"?first"?$`)
	return c
}

// TestDovecotServer gives TLS to a Dovecot that has none, for clients that ask for it.
func TestDovecotServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	store := dovecotServer(t, "")
	d := start(t, `
cert = `+certs.Server+`
[imap]
accept = 127.0.0.1:0
connect = `+store.addr["imap"]+`
protocol = imap
[pop3]
accept = 127.0.0.1:0
connect = `+store.addr["pop3"]+`
protocol = pop3
[sieve]
accept = 127.0.0.1:0
connect = `+store.addr["sieve"]+`
protocol = sieve
`)
	c := fetchMail(t, "imap://"+d.Addr("imap")+"/INBOX;MAILINDEX=1", "--ssl-reqd", "--cacert", certs.Root)
	c.WaitLine(`^< \* OK \[CAPABILITY .* STARTTLS LOGINDISABLED\] Dovecot .* \(stunnel\)$`)
	c.WaitLine(`AUTH=PLAIN`)
	c = fetchMail(t, "pop3://"+d.Addr("pop3")+"/1", "--ssl-reqd", "--cacert", certs.Root)
	c.WaitLine(`^< STLS$`)
	c.WaitLine(`^< SASL PLAIN LOGIN$`)
	c = listScripts(t, d.Addr("sieve"), "--tlscafile", certs.Root, "--tlshostname", "localhost")
	c.WaitLine(`"SASL" ""`)
	c.WaitLine(`"SASL" "PLAIN LOGIN"`)
	d.WaitLines(`LOG6\[\d\]: TLS accepted: `, 3)

	for _, try := range []struct{ protocol, wants, command, answer string }{
		{"imap", "", "a login joe secret", "^a OK "},
		{"pop3", "", "user joe", `^\+OK`},
		{"sieve", `^"SASL" "PLAIN LOGIN"$`, `noop "x"`, `^OK \(TAG "?x"?\)`},
	} {
		for _, v := range versions {
			c := sClient(t, d, try.protocol, v.openssl, "-starttls", try.protocol, "-CAfile", certs.Root, "-verify_return_error", "-crlf")
			c.WaitLine("^New, " + v.log)
			if try.wants != "" {
				c.WaitLine(try.wants)
			}
			c.Stdin.Write([]byte(try.command + "\n"))
			c.WaitLine(try.answer)
			c.Stdin.Close()
			c.Wait()
		}
	}
}

// TestDovecotServerStolen has curl, which sends no login without TLS, meet a certificate
// that it does not trust.
func TestDovecotServerStolen(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	store := dovecotServer(t, "")
	d := start(t, `
cert = `+certs.Server+`
[imap]
accept = 127.0.0.1:0
connect = `+store.addr["imap"]+`
protocol = imap
[pop3]
accept = 127.0.0.1:0
connect = `+store.addr["pop3"]+`
protocol = pop3
`)
	for _, protocol := range []string{"imap", "pop3"} {
		c := testpeer.Run(t, curl, "-sSv", "--ssl-reqd", "--cacert", certs.Other, "--user", "joe:secret", protocol+"://"+d.Addr(protocol))
		if status := c.Wait(); status != 60 {
			t.Errorf("%s: curl's exit status is %d, not 60 for a certificate it does not trust", protocol, status)
		}
	}
	d.WaitLines(`LOG3\[\d\]: SSL_accept: .*tlsv1 alert unknown ca$`, 2)
	if n := store.Count(`Login: user=`); n != 0 {
		t.Errorf("%d logins", n)
	}
}

// TestDovecotDetected has clients that speak TLS at once.
func TestDovecotDetected(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	store := dovecotServer(t, "")
	d := start(t, `
cert = `+certs.Server+`
guestOption = detectTLS=5000
[imap]
accept = 127.0.0.1:0
connect = `+store.addr["imap"]+`
protocol = imap
[pop3]
accept = 127.0.0.1:0
connect = `+store.addr["pop3"]+`
protocol = pop3
[sieve]
accept = 127.0.0.1:0
connect = `+store.addr["sieve"]+`
protocol = sieve
`)
	_, port, _ := strings.Cut(d.Addr("imap"), ":")
	fetchMail(t, "imaps://localhost:"+port+"/INBOX;MAILINDEX=1", "--ipv4", "--cacert", certs.Root)
	_, port, _ = strings.Cut(d.Addr("pop3"), ":")
	fetchMail(t, "pop3s://localhost:"+port+"/1", "--ipv4", "--cacert", certs.Root)
	c := sClient(t, d, "sieve", "-CAfile", certs.Root, "-verify_return_error", "-crlf")
	c.WaitLine(`"SASL" "PLAIN LOGIN"$`)
	c.Stdin.Close()
	c.Wait()
}

// TestDovecotClient has clients without TLS reach a Dovecot that takes logins inside it
// alone.
func TestDovecotClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	store := dovecotServer(t, certs.Server)
	d := start(t, `
client = yes
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
[imap]
accept = 127.0.0.1:0
connect = `+store.addr["imap"]+`
protocol = imap
[pop3]
accept = 127.0.0.1:0
connect = `+store.addr["pop3"]+`
protocol = pop3
[sieve]
accept = 127.0.0.1:0
connect = `+store.addr["sieve"]+`
protocol = sieve
`)
	fetchMail(t, "imap://"+d.Addr("imap")+"/INBOX;MAILINDEX=1")
	fetchMail(t, "pop3://"+d.Addr("pop3")+"/1")
	listScripts(t, d.Addr("sieve"), "--clearchan")
	d.WaitLines(`LOG6\[\d\]: TLS connected: `, 3)
	store.WaitLines(`Login: user=<joe>.* TLS`, 3)
}

// TestDovecotClientStolen has clients without TLS lead to a Dovecot whose certificate is
// not trusted: they hear it in their own protocol, and send no login.
func TestDovecotClientStolen(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	store := dovecotServer(t, certs.Server)
	for protocol, goodbye := range map[string]string{
		"imap":  "* BYE [UNAVAILABLE] No TLS with the mail server\r\n",
		"pop3":  "-ERR [SYS/TEMP] No TLS with the mail server\r\n",
		"sieve": "BYE (TRYLATER) \"No TLS with the server\"\r\n",
	} {
		d := start(t, `
client = yes
verifyChain = yes
CAfile = `+certs.Other+`
[store]
accept = 127.0.0.1:0
connect = `+store.addr[protocol]+`
protocol = `+protocol+`
`)
		conn, err := net.Dial("tcp", d.Addr("store"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(conn) // up to the reset that ends it
		if string(text) != goodbye {
			t.Errorf("%s: the client gets %q, not %q", protocol, text, goodbye)
		}
		conn.Close()
		d.WaitLine(`LOG3\[0\]: SSL_connect: .*certificate verify failed`)
	}
	if n := store.Count(`Login: user=`); n != 0 {
		t.Errorf("%d logins", n)
	}
}

// TestDovecotByName has the name in the handshake choose among servers, the first of which
// is not there: imap, pop3 and sieve greet without it.
func TestDovecotByName(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	store := dovecotServer(t, "")
	nobody := "127.0.0.1:" + testpeer.FreePort(t)
	conf := "cert = " + certs.Server + "\n"
	for protocol, addr := range store.addr {
		conf += "[" + protocol + "]\naccept = 127.0.0.1:0\nconnect = " + nobody + "\nprotocol = " + protocol + "\n" +
			"[" + protocol + "-joe]\nsni = " + protocol + ":joe.test\nconnect = " + addr + "\n"
	}
	d := start(t, conf)
	for protocol, path := range map[string]string{"imap": "/INBOX;MAILINDEX=1", "pop3": "/1"} {
		_, port, _ := strings.Cut(d.Addr(protocol), ":")
		// The certificate is localhost's, and no question here.
		fetchMail(t, protocol+"://joe.test:"+port+path, "--ssl-reqd", "-k", "--resolve", "joe.test:"+port+":127.0.0.1")
	}
	c := listScripts(t, d.Addr("sieve"), "--nosslverify", "--tlshostname", "joe.test")
	c.WaitLine(`"IMPLEMENTATION" "stunnel"`)
	c.WaitLine(`"IMPLEMENTATION" "Dovecot`)

	for protocol, goodbye := range map[string]string{"imap": `\* BYE \[UNAVAILABLE\]`, "pop3": `-ERR \[SYS/TEMP\]`, "sieve": `BYE \(TRYLATER\)`} {
		c := sClient(t, d, protocol, "-starttls", protocol, "-servername", "else.test")
		c.WaitLine(goodbye)
		c.Wait()
	}
}

// TestStunnelMailStores has curl reach Dovecot through our guests and stunnel's, in both
// orders.
func TestStunnelMailStores(t *testing.T) {
	t.Parallel()
	store := dovecotServer(t, "")
	eachWay(t, func(t *testing.T, server, client string) {
		for protocol, path := range map[string]string{"imap": "/INBOX;MAILINDEX=1", "pop3": "/1"} {
			_, c := tunnel(t, server, client, store.addr[protocol], "protocol = "+protocol+"\n")
			fetchMail(t, protocol+"://"+c.Addr("client")+path)
		}
	})
}
