package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// accounts are MariaDB's: joe's login takes one packet each way, ed's a change of the
// method. The password of both is secret.
const accounts = `create user if not exists joe identified by 'secret';
create user if not exists ed identified via ed25519 using password('secret');
`

// mariadb runs a database server, with more options, and gives its address and socket.
func mariadb(t *testing.T, options ...string) (addr, socket string) {
	t.Helper()
	program, install := testpeer.Need(t, "mariadbd", "mariadb-server"), testpeer.Need(t, "mariadb-install-db", "mariadb-server")
	// Short, for the socket's sake.
	dir, err := os.MkdirTemp("", "maria")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	args := []string{"--no-defaults", "--datadir=" + dir + "/data"}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root") // nothing but what the test made is of use here
	}
	if status := testpeer.Run(t, install, append(args, "--skip-test-db", "--auth-root-authentication-method=normal")...).Wait(); status != 0 {
		t.Fatalf("mariadb-install-db's exit status is %d", status)
	}
	init := filepath.Join(dir, "init.sql")
	if err := os.WriteFile(init, []byte(accounts), 0o600); err != nil {
		t.Fatal(err)
	}
	port := testpeer.FreePort(t)
	addr, socket = "127.0.0.1:"+port, dir+"/socket"
	args = append(args, "--bind-address=127.0.0.1", "--port="+port, "--socket="+socket, "--pid-file="+dir+"/pid",
		"--init-file="+init, "--plugin-load-add=auth_ed25519", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0")
	server := testpeer.Run(t, program, append(args, options...)...)
	t.Cleanup(func() {
		server.Signal(syscall.SIGTERM)
		server.Wait()
	})
	server.WaitLine(`: ready for connections`)
	return addr, socket
}

// mariadbClient runs the client on a service and gives its exit status.
func mariadbClient(t *testing.T, d *testpeer.Daemon, service, user, password, sql string, options ...string) (*testpeer.Process, int) {
	t.Helper()
	host, port, _ := strings.Cut(d.Addr(service), ":")
	args := append([]string{"--no-defaults", "--protocol=tcp", "-h", host, "-P", port, "-u", user, "-NBe", sql}, options...)
	cmd := exec.Command(testpeer.Need(t, "mariadb", "mariadb-client"), args...)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+password)
	p := testpeer.RunCommand(t, cmd)
	return p, p.Wait()
}

// cipher is what the server is asked for: whether it has TLS itself.
const cipher = "select concat('cipher=', variable_value) from information_schema.session_status where variable_name = 'Ssl_cipher'"

// TestMariaDBServer has clients with TLS reach a database server that has none.
func TestMariaDBServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr, socket := mariadb(t)
	d := start(t, `
accept = 127.0.0.1:0
protocol = mysql
cert = `+certs.Server+`
[server]
connect = `+addr+`
[socket]
connect = `+socket+`
[gone]
connect = 127.0.0.1:`+testpeer.FreePort(t)+`
`)
	both := start(t, `
client = yes
accept = 127.0.0.1:0
protocol = mysql
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
[both]
connect = `+d.Addr("server")+`
[bare]
connect = `+addr+`
`)
	verified := []string{"--ssl-verify-server-cert", "--ssl-ca=" + certs.Root}
	for _, service := range []string{"server", "socket"} {
		for _, user := range []string{"joe", "ed"} {
			p, status := mariadbClient(t, d, service, user, "secret", cipher, verified...)
			if status != 0 || p.Count(`^cipher=$`) != 1 {
				t.Errorf("%s to %s: exit status %d", user, service, status)
			}
		}
	}
	const long = "select repeat('long ', 200000)"
	p, status := mariadbClient(t, d, "server", "joe", "secret", long, append(verified, "--compress")...)
	if status != 0 || len(p.Output()) != 1_000_000 {
		t.Errorf("a long answer: exit status %d, %d bytes", status, len(p.Output()))
	}
	p, status = mariadbClient(t, both, "both", "ed", "secret", long, "--skip-ssl")
	if status != 0 || len(p.Output()) != 1_000_000 {
		t.Errorf("through both modes: exit status %d, %d bytes", status, len(p.Output()))
	}
	for name, c := range map[string]struct {
		d              *testpeer.Daemon
		service        string
		password, line string
		options        []string
	}{
		"without TLS":    {d, "server", "secret", `ERROR 3159 \(HY000\).*: TLS is required: connect with --ssl`, []string{"--skip-ssl"}},
		"wrong password": {d, "server", "guessed", `ERROR 1045 \(28000\): Access denied for user 'joe'`, verified},
		"other root":     {d, "server", "secret", `ERROR 2026 \(HY000\): TLS/SSL error: `, []string{"--ssl-verify-server-cert", "--ssl-ca=" + certs.Other}},
		"no server":      {d, "gone", "secret", `ERROR 2002 .*: 1105 - the database server cannot be reached`, verified},
		"no TLS":         {both, "bare", "secret", `ERROR 1105 .*: the database server has no TLS`, []string{"--skip-ssl"}},
	} {
		p, status := mariadbClient(t, c.d, c.service, "joe", c.password, cipher, c.options...)
		if status != 1 || p.Count(c.line) != 1 {
			t.Errorf("%s: exit status %d", name, status)
		}
	}
	for _, v := range versions {
		c := sClient(t, d, "server", "-starttls", "mysql", v.openssl, "-CAfile", certs.Root, "-verify_return_error")
		c.WaitLine("^New, " + v.log)
		c.WaitLine("Verify return code: 0 ")
		c.Stdin.Close()
		c.Wait()
	}
}

// TestMariaDBClient has clients without TLS reach a database server that insists on it.
func TestMariaDBClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	addr, _ := mariadb(t, "--require-secure-transport=on", "--ssl-cert="+certs.Server, "--ssl-key="+certs.Server, "--ssl-ca="+certs.Root)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
protocol = mysql
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
connect = `+addr+`
[client]
[strange]
CAfile = `+certs.Other+`
`)
	for _, user := range []string{"joe", "ed"} {
		p, status := mariadbClient(t, d, "client", user, "secret", cipher, "--skip-ssl")
		if status != 0 || p.Count(`^cipher=TLS_`) != 1 {
			t.Errorf("%s: exit status %d", user, status)
		}
	}
	for name, c := range map[string]struct{ service, password, line, option string }{
		"wrong password": {"client", "guessed", `ERROR 1045 \(28000\): Access denied for user 'joe'`, "--skip-ssl"},
		"insists on TLS": {"client", "secret", `ERROR 2026 \(HY000\): .*SSL is required, but the server does not support it`, "--ssl-verify-server-cert"},
		"other root":     {"strange", "secret", `ERROR 1105 \(HY000\).*: no TLS connection to the database server`, "--skip-ssl"},
	} {
		p, status := mariadbClient(t, d, c.service, "joe", c.password, cipher, c.option)
		if status != 1 || p.Count(c.line) != 1 {
			t.Errorf("%s: exit status %d", name, status)
		}
	}
}
