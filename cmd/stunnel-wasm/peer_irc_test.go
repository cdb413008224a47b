package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// ircGuest builds the guest that the Go SDK has as a worked example, and gives the
// directory of its module.
func ircGuest(t *testing.T) string {
	t.Helper()
	compiler := testpeer.Need(t, "go", "golang")
	dir := t.TempDir()
	build := exec.Command(compiler, "build", "-buildmode=c-shared", "-ldflags", "-s -w",
		"-o", filepath.Join(dir, "irc.wasm"), "../../sdk/go/examples/irc")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the guest: %v\n%s", err, text)
	}
	return dir
}

// ircServer runs InspIRCd, with STARTTLS if it has a certificate, and gives its address.
func ircServer(t *testing.T, certificate string) string {
	t.Helper()
	inspircd := testpeer.Need(t, "/usr/sbin/inspircd", "inspircd")
	dir, port := t.TempDir(), testpeer.FreePort(t)
	conf := fmt.Sprintf(`<server name="irc.example.test" description="Test" network="Test">
<admin name="joe" nick="joe" email="joe@example.test">
<bind address="127.0.0.1" port="%[1]s" type="clients">
<connect allow="*" resolvehostnames="no" useident="no">
<path configdir="%[2]s" datadir="%[2]s" logdir="%[2]s" runtimedir="%[2]s" moduledir="/usr/lib/inspircd/modules">
<module name="cap">
`, port, dir)
	if certificate != "" {
		conf += fmt.Sprintf(`<module name="ssl_gnutls">
<module name="starttls">
<starttls provider="test">
<sslprofile name="test" provider="gnutls" certfile="%[1]s" keyfile="%[1]s" cafile="" crlfile="">
`, certificate)
	}
	file := filepath.Join(dir, "inspircd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	server := testpeer.Run(t, inspircd, "--config", file, "--nofork", "--nolog", "--nopid", "--runasroot")
	server.WaitPort("tcp", "127.0.0.1:"+port)
	return "127.0.0.1:" + port
}

// TestIRCServer has the guest give TLS to an IRC server that has none.
func TestIRCServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
guestPath = `+ircGuest(t)+`
[irc]
accept = 127.0.0.1:0
connect = `+ircServer(t, "")+`
cert = `+certs.Server+`
protocol = irc
`)
	for _, v := range versions {
		c := sClient(t, d, "irc", v.openssl, "-starttls", "irc", "-CAfile", certs.Root, "-verify_return_error", "-crlf", "-no_ign_eof")
		c.WaitLine("^New, " + v.log)
		c.Stdin.Write([]byte("NICK joe\nUSER joe 0 * :Joe\n"))
		c.WaitLine(`^:irc\.example\.test 001 joe `)
		c.Stdin.Write([]byte("quit\n")) // a line that begins with Q would be for s_client
		c.WaitLine("^ERROR :Closing link")
		c.Wait()
	}
	d.WaitLines(`LOG5\[\d+\]: Connection closed: `, len(versions))
}

// TestIRCClient has a client without TLS register at an IRC server by STARTTLS. It does
// not know CAP: the guest must take back the wait that its own CAP LS began.
func TestIRCClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
guestPath = `+ircGuest(t)+`
[irc]
client = yes
accept = 127.0.0.1:0
connect = `+ircServer(t, certs.Server)+`
CAfile = `+certs.Root+`
verifyChain = yes
protocol = irc
`)
	c, err := net.Dial("tcp", d.Addr("irc"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute)) // for a test that fails
	in := bufio.NewReader(c)
	for _, step := range []struct{ say, hear string }{
		{"NICK joe\r\nUSER joe 0 * :Joe\r\n", ":irc.example.test 001 joe "},
		{"QUIT\r\n", "ERROR :Closing link"},
	} {
		if _, err := io.WriteString(c, step.say); err != nil {
			t.Fatal(err)
		}
		for line := ""; !strings.HasPrefix(line, step.hear); {
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatalf("waiting for %q: %v", step.hear, err)
			}
		}
	}
	d.WaitLine(`LOG6\[0\]: TLS connected: new session negotiated$`)
}
