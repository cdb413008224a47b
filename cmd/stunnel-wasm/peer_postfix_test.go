package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// postfixMain is main.cf but for what depends on the run. Mail for example.test
// goes into one file; it is taken after STARTTLS and AUTH alone.
const postfixMain = `compatibility_level = 3.6
maillog_file = /dev/stdout
myhostname = mx.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:inbox
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
`

// postfixMaster is master.cf behind the line of smtpd.
const postfixMaster = `
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`

// postfix runs a mail server of its own and gives its address and its mailbox.
func postfix(t *testing.T, certs *testpeer.Certificates) (server *testpeer.Process, addr, inbox string) {
	t.Helper()
	program := testpeer.Need(t, "postfix", "postfix")
	testpeer.NeedRoot(t, "postfix")
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	// Not the test's directory, which other users cannot enter.
	dir, err := os.MkdirTemp("", "postfix")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	conf := filepath.Join(dir, "conf")
	addr = "127.0.0.1:" + testpeer.FreePort(t)
	err = os.Chmod(dir, 0o755)
	for _, name := range []string{"conf", "queue", "data", "mail"} {
		if err == nil {
			err = os.Mkdir(filepath.Join(dir, name), 0o755)
		}
		if err == nil && (name == "data" || name == "mail") {
			err = os.Chown(filepath.Join(dir, name), uid, gid)
		}
	}
	main := postfixMain + fmt.Sprintf("queue_directory = %s/queue\ndata_directory = %[1]s/data\nvirtual_mailbox_base = %[1]s/mail\n"+
		"virtual_uid_maps = static:%s\nvirtual_gid_maps = static:%s\nsmtpd_sasl_path = inet:%s\nsmtpd_tls_chain_files = %s\n",
		dir, owner.Uid, owner.Gid, testpeer.Serve(t, dovecot), certs.Server)
	for name, text := range map[string]string{"main.cf": main, "master.cf": addr + " inet n - n - - smtpd" + postfixMaster} {
		if err == nil {
			err = os.WriteFile(filepath.Join(conf, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	server = testpeer.Run(t, program, "-c", conf, "start-fg")
	t.Cleanup(func() { exec.Command(program, "-c", conf, "stop").Run() })
	server.WaitLine(`postfix/master\[\d+\]: daemon started`)
	server.WaitPort("tcp", addr)
	return server, addr, filepath.Join(dir, "mail", "inbox")
}

// dovecot is the authentication server that Postfix asks (Dovecot's client
// protocol, version 1.1): one user, joe, with the password secret.
func dovecot(c net.Conn) {
	fmt.Fprint(c, "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n")
	answers := map[string][]string{} // by request, for LOGIN
	for s := bufio.NewScanner(c); s.Scan(); {
		f := strings.Split(s.Text(), "\t")
		if len(f) < 3 || f[0] != "AUTH" && f[0] != "CONT" {
			continue
		}
		id := f[1]
		response, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(f[len(f)-1], "resp="))
		switch {
		case f[0] == "AUTH" && f[2] == "PLAIN":
			answers[id] = strings.Split(string(response), "\x00")[1:]
		case f[0] == "AUTH":
			answers[id] = []string{}
			fmt.Fprintf(c, "CONT\t%s\t%s\n", id, base64.StdEncoding.EncodeToString([]byte("Username:")))
			continue
		default:
			answers[id] = append(answers[id], string(response))
			if len(answers[id]) == 1 {
				fmt.Fprintf(c, "CONT\t%s\t%s\n", id, base64.StdEncoding.EncodeToString([]byte("Password:")))
				continue
			}
		}
		if strings.Join(answers[id], " ") == "joe secret" {
			fmt.Fprintf(c, "OK\t%s\tuser=joe\n", id)
		} else {
			fmt.Fprintf(c, "FAIL\t%s\tuser=joe\n", id)
		}
		delete(answers, id)
	}
}

// TestPostfix sends mail from a client without TLS and AUTH through the smtp
// guest, which does both, to a Postfix that takes none otherwise.
func TestPostfix(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	server, addr, inbox := postfix(t, certs)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
connect = `+addr+`
protocol = smtp
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
[plain]
protocolUsername = joe
protocolPassword = secret
[login]
protocolUsername = joe
protocolPassword = secret
protocolAuthentication = login
[wrong]
protocolUsername = joe
protocolPassword = guessed
[none]
`)
	send := func(service string) error {
		return smtp.SendMail(d.Addr(service), nil, "a@example.test", []string{"b@example.test"}, []byte(message))
	}
	for i, service := range []string{"plain", "login"} {
		if err := send(service); err != nil {
			t.Fatalf("%s: %v", service, err)
		}
		server.WaitLine(`postfix/smtpd\[\d+\]: .*sasl_method=` + strings.ToUpper(service) + `, sasl_username=joe`)
		server.WaitLines(`postfix/virtual\[\d+\]: .*status=sent \(delivered to mailbox\)`, i+1)
	}
	text, err := os.ReadFile(inbox)
	if n := bytes.Count(text, []byte("Subject: through TLS\n")); n != 2 {
		t.Errorf("the mailbox holds %d mails, not two: %v\n%s", n, err, text)
	}
	refused(t, d.Addr("wrong"))
	if err := send("none"); err == nil || !strings.Contains(err.Error(), "Access denied") {
		t.Errorf("without AUTH the client gets %v, not Postfix's refusal", err)
	}
	d.WaitLine(`LOG[34]\[2\]: .*smtp.*535 5\.7\.8`)
	d.WaitLines(`LOG6\[\d\]: TLS connected: `, 4)
	d.WaitLines(`LOG5\[\d\]: Connection closed: `, 3)
}
