package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A cluster is a PostgreSQL installation of one test, with the user joe, whose password
// is secret, and the user open, who needs none.
type cluster struct {
	dir, bin string
	as       []string // the command that gives up root
}

// postgres makes a cluster.
func postgres(t *testing.T, certs *testpeer.Certificates) *cluster {
	t.Helper()
	c := &cluster{bin: "/usr/lib/postgresql/15/bin"}
	testpeer.NeedFile(t, c.bin+"/initdb", "postgresql-15")
	var err error
	// Not the test's directory, which other users cannot enter.
	if c.dir, err = os.MkdirTemp("", "pg"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(c.dir) })
	pem, err := os.ReadFile(certs.Server)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"server.pem": string(pem), "password": "secret\n",
		"any.conf": "host all open 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
		"tls.conf": "hostssl all all 127.0.0.1/32 scram-sha-256\n"}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 { // which PostgreSQL refuses to run as
		owner, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		c.as = []string{testpeer.Need(t, "setpriv", "util-linux"), "--reuid=postgres", "--regid=postgres", "--clear-groups"}
		if err := os.Chown(c.dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		for name := range files {
			if err := os.Chown(filepath.Join(c.dir, name), uid, gid); err != nil {
				t.Fatal(err)
			}
		}
	}
	initdb := testpeer.RunCommand(t, c.command("initdb", "-D", c.dir+"/data", "-U", "joe", "--pwfile", c.dir+"/password",
		"-A", "scram-sha-256", "--no-sync", "--no-locale", "-E", "UTF8"))
	if status := initdb.Wait(); status != 0 {
		t.Fatalf("initdb's exit status is %d", status)
	}
	return c
}

func (c *cluster) command(program string, args ...string) *exec.Cmd {
	args = append(append(c.as, c.bin+"/"+program), args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = c.dir
	return cmd
}

// serve runs the server until the test ends, with one of the files that say who may
// log in how, and gives its address. Other files' names are relative to the data.
func (c *cluster) serve(t *testing.T, hba string, settings ...string) (server *testpeer.Process, addr string) {
	t.Helper()
	port := testpeer.FreePort(t)
	args := []string{"-D", c.dir + "/data", "-p", port}
	for _, s := range append(settings, "hba_file="+c.dir+"/"+hba, "listen_addresses=127.0.0.1", "unix_socket_directories="+c.dir, "fsync=off",
		"log_statement=all", "log_connections=on") {
		args = append(args, "-c", s)
	}
	server = testpeer.RunCommand(t, c.command("postgres", args...))
	t.Cleanup(func() { // before it is killed, which would leave its shared memory
		server.Signal(syscall.SIGINT)
		server.Wait()
	})
	server.WaitLine(`database system is ready to accept connections`)
	return server, "127.0.0.1:" + port
}

// query runs psql on a service and gives its exit status.
func query(t *testing.T, d *testpeer.Daemon, service, options, sql string) (*testpeer.Process, int) {
	t.Helper()
	p := testpeer.RunCommand(t, psql(t, d, service, options, sql))
	return p, p.Wait()
}

func psql(t *testing.T, d *testpeer.Daemon, service, options, sql string) *exec.Cmd {
	t.Helper()
	_, port, _ := strings.Cut(d.Addr(service), ":")
	cmd := exec.Command(testpeer.Need(t, "psql", "postgresql-client-15"),
		"host=localhost hostaddr=127.0.0.1 dbname=postgres user=joe port="+port+" "+options, "-XAtc", sql)
	cmd.Env = append(os.Environ(), "PGPASSWORD=secret", "PGSSLROOTCERT=/nonexistent", "LC_ALL=C")
	return cmd
}

// encrypted is what psql is asked for: whether the server itself has TLS.
const encrypted = "select 'TLS', ssl from pg_stat_ssl where pid = pg_backend_pid()"

// TestPostgreSQLServer has clients with TLS reach a server that has none.
func TestPostgreSQLServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	server, addr := postgres(t, certs).serve(t, "any.conf")
	d := start(t, `
protocol = pgsql
[server]
accept = 127.0.0.1:0
connect = `+addr+`
cert = `+certs.Server+`
[gone]
accept = 127.0.0.1:0
connect = 127.0.0.1:`+testpeer.FreePort(t)+`
cert = `+certs.Server+`
[named]
sni = gone:db.example
connect = `+addr+`
cert = `+certs.Server+`
[client]
accept = 127.0.0.1:0
client = yes
connect = `+addr+`
`)
	root := " sslrootcert=" + certs.Root
	for _, mode := range []string{"verify-full", "require", "prefer", "allow"} {
		p, status := query(t, d, "server", "sslmode="+mode+root, encrypted)
		if status != 0 || p.Count(`^TLS\|f$`) != 1 {
			t.Errorf("sslmode=%s: exit status %d", mode, status)
		}
	}
	p, status := query(t, d, "server", "sslmode=disable", encrypted)
	if status != 2 || p.Count(`FATAL: .*this server takes logins inside TLS alone: connect with sslmode=require`) != 1 {
		t.Errorf("without TLS: exit status %d", status)
	}
	p, status = query(t, d, "server", "sslmode=verify-full password=guessed"+root, encrypted)
	if status != 2 || p.Count(`FATAL:  password authentication failed for user "joe"`) != 1 {
		t.Errorf("with a wrong password: exit status %d", status)
	}
	p, status = query(t, d, "gone", "sslmode=verify-full"+root, encrypted)
	if status != 2 || p.Count(`FATAL:  the database server cannot be reached`) != 1 {
		t.Errorf("without a server: exit status %d", status)
	}
	p, status = query(t, d, "gone", "sslmode=require host=db.example", encrypted)
	if status != 0 || p.Count(`^TLS\|f$`) != 1 {
		t.Errorf("with a server chosen by name: exit status %d", status)
	}
	p, status = query(t, d, "client", "sslmode=disable", encrypted)
	if status != 2 || p.Count(`FATAL:  no TLS connection to the database server`) != 1 {
		t.Errorf("with a server that has no TLS: exit status %d", status)
	}
	d.WaitLine(`LOG[34]\[\d+\]: .*server refused SSLRequest: it has no TLS`)

	_, status = query(t, d, "server", "sslmode=require", "create user open")
	if status != 0 {
		t.Fatalf("making a user: exit status %d", status)
	}
	for name, args := range map[string][]string{"SSLRequest": {"-starttls", "postgres"}, "direct": {"-alpn", "postgresql"}} {
		c := sClient(t, d, "server", append(args, "-quiet", "-CAfile", certs.Root, "-verify_return_error")...)
		if _, err := c.Stdin.Write(session("select 'spoken by hand: " + name + "'")); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		c.WaitLine(`spoken by hand: ` + name)
	}
	for alpn, line := range map[string]string{"": `TLS without SSLRequest needs the application protocol`, "http/1.1": `no application protocol`} {
		args := []string{"-CAfile", certs.Root}
		if alpn != "" {
			args = append(args, "-alpn", alpn)
		}
		c := sClient(t, d, "server", append(args, "-ign_eof")...)
		c.Wait()
		c.WaitLine(line)
	}
	if server.Count(`invalid length of startup packet|unsupported frontend protocol`) != 0 {
		t.Error("the server was sent something odd")
	}
}

// session is a whole conversation of the user open: login, a query, and the end.
func session(sql string) []byte {
	login := "\x00\x03\x00\x00user\x00open\x00database\x00postgres\x00\x00"
	message := func(kind, text string) string {
		return kind + string(binary.BigEndian.AppendUint32(nil, uint32(len(text)+4))) + text
	}
	return []byte(message("", login) + message("Q", sql+"\x00") + message("X", ""))
}

// TestPostgreSQLClient has clients without TLS reach a server that asks for it.
func TestPostgreSQLClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	server, addr := postgres(t, certs).serve(t, "tls.conf", "ssl=on", "ssl_cert_file=../server.pem", "ssl_key_file=../server.pem")
	tunnel := start(t, `
[server]
accept = 127.0.0.1:0
protocol = pgsql
connect = `+addr+`
cert = `+certs.Server+`
`)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
protocol = pgsql
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
connect = `+addr+`
[client]
[direct]
guestOption = direct=yes
[strange]
CAfile = `+certs.Other+`
`)
	for _, mode := range []string{"disable", "prefer"} {
		p, status := query(t, d, "client", "sslmode="+mode, encrypted)
		if status != 0 || p.Count(`^TLS\|t$`) != 1 {
			t.Errorf("sslmode=%s: exit status %d", mode, status)
		}
	}
	d.WaitLines(`LOG7\[\d+\]: .*SCRAM-SHA-256-PLUS left out`, 2)
	p, status := query(t, d, "client", "sslmode=require", encrypted)
	if status != 2 || p.Count(`server does not support SSL, but SSL was required`) != 1 {
		t.Errorf("with a client that insists on TLS: exit status %d", status)
	}
	for _, service := range []string{"strange", "direct"} {
		p, status = query(t, d, service, "sslmode=disable", encrypted)
		if status != 2 || p.Count(`FATAL:  no TLS connection to the database server`) != 1 {
			t.Errorf("%s: exit status %d", service, status)
		}
	}
	server.WaitLine(`invalid length of startup packet`) // of direct TLS, which 15 does not know

	// A query is cancelled by a connection of its own.
	asleep := testpeer.RunCommand(t, psql(t, d, "client", "sslmode=disable", "select pg_sleep(3600)"))
	server.WaitLine(`statement: select pg_sleep`)
	asleep.Signal(syscall.SIGINT)
	if status := asleep.Wait(); status != 1 {
		t.Errorf("the cancelled psql's exit status is %d", status)
	}
	asleep.WaitLine(`ERROR:  canceling statement due to user request`)

	// Server mode adds TLS, and takes none away that the server insists on.
	p, status = query(t, tunnel, "server", "sslmode=require", encrypted)
	if status != 2 || p.Count(`FATAL:  no pg_hba.conf entry for host .*no encryption`) != 1 {
		t.Errorf("in server mode: exit status %d", status)
	}
}

// TestPostgreSQLBoth joins both modes, with SSLRequest and with direct TLS.
func TestPostgreSQLBoth(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	_, addr := postgres(t, certs).serve(t, "any.conf")
	server := start(t, `
[server]
accept = 127.0.0.1:0
protocol = pgsql
connect = `+addr+`
cert = `+certs.Server+`
`)
	d := start(t, `
client = yes
accept = 127.0.0.1:0
protocol = pgsql
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
connect = `+server.Addr("server")+`
[asked]
[direct]
guestOption = direct=yes
`)
	for _, service := range []string{"asked", "direct"} {
		p, status := query(t, d, service, "sslmode=disable", "select repeat('long ', 200000)")
		if status != 0 || len(p.Output()) != 1_000_000 {
			t.Errorf("%s: exit status %d, %d bytes", service, status, len(p.Output()))
		}
	}
}
