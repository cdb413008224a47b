package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// innFiles are INN's files but for inn.conf: one group, and everyone may read it.
var innFiles = map[string]string{
	"db/active":            "local.test 0000000000 0000000001 y\n",
	"etc/inn-secrets.conf": "",
	"etc/storage.conf":     "method timehash {\n newsgroups: *\n class: 0\n}\n",
	"etc/readers.conf":     "auth all {\n hosts: *\n default: joe\n}\naccess all {\n users: *\n newsgroups: *\n access: R\n}\n",
}

// newsServer runs INN's server for readers, with TLS if it has a certificate, and gives
// its address.
func newsServer(t *testing.T, certs *testpeer.Certificates, secure bool) string {
	t.Helper()
	const bin = "/usr/lib/news/bin/"
	testpeer.NeedFile(t, bin+"nnrpd", "inn2")
	testpeer.NeedRoot(t, "nnrpd")
	setpriv := testpeer.Need(t, "setpriv", "util-linux")
	owner, err := user.Lookup("news")
	if err != nil {
		t.Fatal(err)
	}
	// Not the test's directory, which other users cannot enter.
	dir, err := os.MkdirTemp("", "news")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	conf := fmt.Sprintf("mta: /bin/false\norganization: Test\novmethod: tradindexed\nhismethod: hisv6\nenableoverview: true\n"+
		"pathhost: news.example.test\ndomain: example.test\npathnews: /usr/lib/news\nnnrpdloadlimit: 0\nreaderswhenstopped: true\n"+
		"pathdb: %[1]s/db\npathetc: %[1]s/etc\npathrun: %[1]s/run\npathspool: %[1]s/spool\npathtmp: %[1]s/run\npathlog: %[1]s/run\npathhttp: %[1]s/run\n", dir)
	files := map[string]string{}
	for name, text := range innFiles {
		files[name] = text
	}
	if secure {
		pem, err := os.ReadFile(certs.Server)
		if err != nil {
			t.Fatal(err)
		}
		files["etc/server.pem"] = string(pem)
		conf += fmt.Sprintf("tlscertfile: %[1]s/etc/server.pem\ntlskeyfile: %[1]s/etc/server.pem\n", dir)
	}
	files["etc/inn.conf"] = conf
	err = os.Chown(dir, uid, gid)
	for _, name := range []string{"db", "etc", "run", "spool", "spool/overview"} {
		if err == nil {
			err = os.Mkdir(filepath.Join(dir, name), 0o755)
		}
		if err == nil {
			err = os.Chown(filepath.Join(dir, name), uid, gid)
		}
	}
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
		}
		if err == nil {
			err = os.Chown(filepath.Join(dir, name), uid, gid)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	asNews := func(args ...string) *exec.Cmd {
		c := exec.Command(setpriv, append([]string{"--reuid", owner.Uid, "--regid", owner.Gid, "--clear-groups", "--"}, args...)...)
		c.Env = append(os.Environ(), "INNCONF="+filepath.Join(dir, "etc", "inn.conf"))
		return c
	}
	if out, err := asNews(bin+"tdx-util", "-c", "-n", "local.test").CombinedOutput(); err != nil {
		t.Fatalf("making an overview: %v: %s", err, out)
	}
	port := testpeer.FreePort(t)
	server := testpeer.RunCommand(t, asNews(bin+"nnrpd", "-D", "-f", "-b", "127.0.0.1", "-p", port))
	server.WaitPort("tcp", "127.0.0.1:"+port)
	return "127.0.0.1:" + port
}

// reader has Python's NNTP client select the group.
func reader(t *testing.T, addr, script string) *testpeer.Process {
	t.Helper()
	python := testpeer.Need(t, "/usr/bin/python3", "python3")
	p := testpeer.Run(t, python, "-W", "ignore", "-c", `
import nntplib, ssl, sys
host, port = sys.argv[1].split(":")
n = nntplib.NNTP(host, int(port), readermode=True)
print("welcome", n.getwelcome())
print("capabilities", sorted(n.getcapabilities()))
`+script+`
print("group", n.group("local.test")[4])
n.quit()
`, addr)
	if status := p.Wait(); status != 0 {
		t.Fatalf("the reader's exit status is %d", status)
	}
	p.WaitLine(`^welcome 20[01] news\.example\.test InterNetNews`)
	p.WaitLine(`^group local\.test$`)
	return p
}

// TestNewsServer adds STARTTLS to INN without TLS.
func TestNewsServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
[nntp]
accept = 127.0.0.1:0
connect = `+newsServer(t, certs, false)+`
cert = `+certs.Server+`
protocol = nntp
`)
	p := reader(t, d.Addr("nntp"), `
n.starttls(ssl.create_default_context(cafile="`+certs.Root+`"))
print("inside", sorted(n.getcapabilities()))
`)
	p.WaitLine(`^capabilities .*'IMPLEMENTATION'.*'READER', 'STARTTLS', 'VERSION'`)
	if n := p.Count(`^capabilities .*(AUTHINFO|SASL)`); n != 0 {
		t.Error("a login is offered before TLS")
	}
	p.WaitLine(`^inside .*'AUTHINFO'.*'READER'`)
	d.WaitLine(`LOG6\[0\]: TLS accepted: new session negotiated$`)
	d.WaitLine(`LOG5\[0\]: Connection closed: `)

	for _, v := range versions {
		c := sClient(t, d, "nntp", v.openssl, "-starttls", "nntp", "-CAfile", certs.Root, "-verify_return_error", "-crlf", "-no_ign_eof")
		c.WaitLine("^New, " + v.log)
		c.Stdin.Write([]byte("GROUP local.test\n"))
		c.WaitLine("^211 .* local.test")
		c.Stdin.Write([]byte("quit\n")) // a line that begins with Q would be for s_client
		c.WaitLine("^205 ")
		c.Wait()
	}
	d.WaitLines(`LOG5\[\d+\]: Connection closed: `, 1+len(versions))
}

// TestNewsClient reads news without TLS from INN with it.
func TestNewsClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
[nntp]
client = yes
accept = 127.0.0.1:0
connect = `+newsServer(t, certs, true)+`
protocol = nntp
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
	p := reader(t, d.Addr("nntp"), "")
	if n := p.Count(`^capabilities .*STARTTLS`); n != 0 {
		t.Error("the reader is not inside TLS")
	}
	d.WaitLine(`LOG6\[0\]: TLS connected: new session negotiated$`)
	d.WaitLine(`LOG5\[0\]: Connection closed: `)
}
