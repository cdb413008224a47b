package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// directory is what slapd is filled with.
const directory = `dn: dc=example
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=joe,dc=example
objectClass: person
cn: joe
sn: Found through TLS
userPassword: secret
`

// slapd runs a directory server, with more lines of configuration, and gives its address.
func slapd(t *testing.T, options string) (server *testpeer.Process, addr string) {
	t.Helper()
	program := testpeer.Need(t, "slapd", "slapd")
	dir := t.TempDir()
	conf, ldif := filepath.Join(dir, "slapd.conf"), filepath.Join(dir, "directory.ldif")
	text := `include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_ldif
pidfile ` + dir + `/pid
argsfile ` + dir + `/args
` + options + `
database ldif
suffix dc=example
directory ` + dir + `
`
	for path, text := range map[string]string{conf: text, ldif: directory} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if status := testpeer.Run(t, testpeer.Need(t, "slapadd", "slapd"), "-f", conf, "-l", ldif).Wait(); status != 0 {
		t.Fatalf("slapadd's exit status is %d", status)
	}
	addr = "127.0.0.1:" + testpeer.FreePort(t)
	server = testpeer.Run(t, program, "-f", conf, "-h", "ldap://"+addr, "-d", "stats")
	server.WaitPort("tcp", addr)
	return server, addr
}

// ldapsearch looks for joe as joe and gives its exit status.
func ldapsearch(t *testing.T, root, url string, args ...string) (*testpeer.Process, int) {
	t.Helper()
	args = append(args, "-x", "-LLL", "-o", "nettimeout=20", "-H", url, "-D", "cn=joe,dc=example", "-w", "secret",
		"-b", "dc=example", "(cn=joe)", "sn")
	cmd := exec.Command(testpeer.Need(t, "ldapsearch", "ldap-utils"), args...)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+root, "LDAPTLS_REQCERT=demand", "LDAPCONF=/dev/null")
	p := testpeer.RunCommand(t, cmd)
	return p, p.Wait()
}

const found = `^sn: Found through TLS$`

// TestSlapdServer has clients with TLS reach a directory server that has none.
func TestSlapdServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	_, addr := slapd(t, "")
	d := start(t, `
accept = 127.0.0.1:0
protocol = ldap
[server]
connect = `+addr+`
cert = `+certs.Server+`
[gone]
connect = 127.0.0.1:`+testpeer.FreePort(t)+`
cert = `+certs.Server+`
[client]
client = yes
connect = `+addr+`
`)
	for name, p := range map[string]struct {
		root, url string
		args      []string
		status    int
		line      string
	}{
		"StartTLS":    {certs.Root, "ldap://" + d.Addr("server"), []string{"-ZZ"}, 0, found},
		"ldaps":       {certs.Root, "ldaps://" + d.Addr("server"), nil, 0, found},
		"clear":       {certs.Root, "ldap://" + d.Addr("server"), nil, 13, `additional info: TLS is required: StartTLS first`},
		"other root":  {certs.Other, "ldap://" + d.Addr("server"), []string{"-ZZ"}, 1, `ldap_start_tls: Connect error \(-11\)`},
		"gone":        {certs.Root, "ldap://" + d.Addr("gone"), []string{"-ZZ"}, 52, `the directory server cannot be reached`},
		"backend bad": {certs.Root, "ldap://" + d.Addr("client"), nil, 52, `no TLS connection to the directory server`},
	} {
		c, status := ldapsearch(t, p.root, p.url, p.args...)
		if status != p.status || c.Count(p.line) != 1 {
			t.Errorf("%s: exit status %d\n%s", name, status, c.Output())
		}
	}
	d.WaitLine(`LOG[34]\[\d+\]: .*server refused StartTLS: protocolError, ".*"`)

	for _, v := range versions {
		c := sClient(t, d, "server", "-starttls", "ldap", v.openssl, "-CAfile", certs.Root, "-verify_return_error")
		c.WaitLine("^New, " + v.log)
		c.WaitLine("Verify return code: 0 ")
		if _, err := c.Stdin.Write([]byte("\x30\x05\x02\x01\x01\x42\x00")); err != nil { // unbind
			t.Fatal(err)
		}
		c.Wait()
	}
}

// TestSlapdClient has clients without TLS reach a directory server that insists on it.
func TestSlapdClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	server, addr := slapd(t, `security ssf=128
TLSCertificateFile `+certs.Server+`
TLSCertificateKeyFile `+certs.Server+`
TLSCACertificateFile `+certs.Chain)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
protocol = ldap
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
connect = `+addr+`
[client]
[strange]
CAfile = `+certs.Other+`
`)
	c, status := ldapsearch(t, certs.Root, "ldap://"+addr)
	if status == 0 {
		t.Errorf("the server takes clients without TLS:\n%s", c.Output())
	}
	c, status = ldapsearch(t, certs.Root, "ldap://"+d.Addr("client"))
	if status != 0 || c.Count(found) != 1 {
		t.Errorf("exit status %d", status)
	}
	server.WaitLine(`conn=\d+ fd=\d+ TLS established`)
	c, status = ldapsearch(t, certs.Root, "ldap://"+d.Addr("client"), "-ZZ")
	if status != 1 || c.Count(`TLS already started`) != 1 {
		t.Errorf("StartTLS inside TLS: exit status %d", status)
	}
	c, status = ldapsearch(t, certs.Root, "ldap://"+d.Addr("strange"))
	if status != 52 || c.Count(`no TLS connection to the directory server`) != 1 {
		t.Errorf("with another root: exit status %d", status)
	}
}
