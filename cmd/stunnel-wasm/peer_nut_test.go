package main

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
	"github.com/stunnel-wasm/stunnel-wasm/sdk"
)

// nutGuest builds the SDK's worked example of a protocol and gives the directory of the
// module, for guestPath.
func nutGuest(t *testing.T) string {
	t.Helper()
	testpeer.Need(t, "wasm-ld", "lld")
	testpeer.NeedFile(t, "/usr/bin/rustc", "rustc")
	testpeer.NeedFile(t, "/usr/lib/rustlib/wasm32-unknown-unknown", "libstd-rust-dev-wasm32")
	dir := t.TempDir()
	if err := os.CopyFS(dir, sdk.Files); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "rust", "examples", "nut")
	if text, err := exec.Command("make", "-C", at, "RUSTC=/usr/bin/rustc").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, text)
	}
	return at
}

// An upsd tells of the power supply "office", which dummy-ups plays.
type upsd struct {
	*testpeer.Process
	addr string
}

// startUpsd runs an upsd, with the certificate of a PEM file or without TLS.
func startUpsd(t *testing.T, cert string) upsd {
	t.Helper()
	testpeer.NeedFile(t, "/lib/nut/upsd", "nut-server")
	dir := t.TempDir()
	port := testpeer.FreePort(t)
	conf := "LISTEN 127.0.0.1 " + port + "\n"
	if cert != "" {
		conf += "CERTPATH " + nssDatabase(t, cert) + "\nCERTIDENT upsd " + nssPassword + "\n"
	}
	for name, text := range map[string]string{
		"ups.conf": "[office]\ndriver = dummy-ups\nport = office.dev\n", "upsd.conf": conf, "upsd.users": "",
		"office.dev": "ups.status: OL\nbattery.charge: 87\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	run := func(program string, args ...string) *testpeer.Process {
		cmd := exec.Command(program, append(args, "-u", me.Username)...)
		for _, name := range []string{"CONF", "STATE", "PID", "ALTPID"} {
			cmd.Env = append(cmd.Env, "NUT_"+name+"PATH="+dir)
		}
		return testpeer.RunCommand(t, cmd)
	}
	driver := run("/lib/nut/dummy-ups", "-a", "office", "-D", "-D")
	driver.WaitLine(`dstate_init: sock .* open`)
	p := run("/lib/nut/upsd", "-F", "-DDD")
	p.WaitLine(`UPS \[office\]: dump is done`) // before that it has no data to tell
	addr := "127.0.0.1:" + port
	p.WaitPort("tcp", addr)
	return upsd{p, addr}
}

const nssPassword = "upsd-test"

// nssDatabase makes what Debian's upsd keeps certificates in, of a PEM file.
func nssDatabase(t *testing.T, cert string) string {
	t.Helper()
	dir := t.TempDir()
	password, bundle := filepath.Join(dir, "password"), filepath.Join(dir, "upsd.p12")
	if err := os.WriteFile(password, []byte(nssPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{testpeer.Need(t, "openssl", "openssl"), "pkcs12", "-export", "-in", cert, "-name", "upsd", "-out", bundle, "-passout", "file:" + password},
		{testpeer.Need(t, "certutil", "libnss3-tools"), "-N", "-d", dir, "-f", password},
		{testpeer.Need(t, "pk12util", "libnss3-tools"), "-i", bundle, "-d", dir, "-k", password, "-w", password},
	} {
		if p := testpeer.Run(t, args[0], args[1:]...); p.Wait() != 0 {
			t.Fatalf("%s failed", strings.Join(args, " "))
		}
	}
	return dir
}

// upsc asks for what is known of a power supply.
func upsc(t *testing.T, addr string) (*testpeer.Process, int) {
	t.Helper()
	p := testpeer.Run(t, testpeer.Need(t, "upsc", "nut-client"), "office@"+addr)
	return p, p.Wait()
}

const charged = `^battery.charge: 87$`

// TestNutServer has NUT's client reach, with TLS, an upsd that has none.
func TestNutServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	server := startUpsd(t, "")
	d := start(t, `
guestPath = `+nutGuest(t)+`
accept = 127.0.0.1:0
protocol = nut
cert = `+certs.Server+`
[server]
connect = `+server.addr+`
[gone]
connect = 127.0.0.1:`+testpeer.FreePort(t))
	c, status := upsc(t, d.Addr("server"))
	if status != 0 || c.Count(charged) != 1 || c.Count(`in SSL$`) != 1 {
		t.Errorf("exit status %d\n%s", status, c.Output())
	}
	c, status = upsc(t, d.Addr("gone"))
	if status == 0 || c.Count(`Driver not connected`) != 1 {
		t.Errorf("without an upsd: exit status %d\n%s", status, c.Output())
	}
}

// TestNutClient has NUT's client reach an upsd through a service that adds TLS.
func TestNutClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	secure, clear := startUpsd(t, certs.ServerRSA(t)), startUpsd(t, "")
	d := start(t, `
guestPath = `+nutGuest(t)+`
client = yes
accept = 127.0.0.1:0
protocol = nut
verifyChain = yes
checkHost = localhost
CAfile = `+certs.Root+`
[client]
connect = `+secure.addr+`
[strange]
connect = `+secure.addr+`
CAfile = `+certs.Other+`
[clear]
connect = `+clear.addr)
	c, status := upsc(t, d.Addr("client"))
	if status != 0 || c.Count(charged) != 1 {
		t.Errorf("exit status %d\n%s", status, c.Output())
	}
	for name, want := range map[string]string{
		"strange": `starting TLS with the server: TLS handshake failed`,
		"clear":   `server refused STARTTLS: "ERR FEATURE-NOT-CONFIGURED"`,
	} {
		if c, status := upsc(t, d.Addr(name)); status == 0 || c.Count(charged) != 0 {
			t.Errorf("%s: exit status %d\n%s", name, status, c.Output())
		}
		d.WaitLine(`LOG4\[\d+\]: guest nut .*` + want)
	}
}
