package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// startSessiond builds and runs testdata/sessiond, and gives its address.
func startSessiond(t *testing.T) (p *testpeer.Process, address string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sessiond")
	if out, err := exec.Command("go", "build", "-o", binary, "../../testdata/sessiond").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p = testpeer.Run(t, binary, "127.0.0.1:0")
	return p, p.WaitLine(`^listening at (.*)$`)
}

const sharedSecrets = `
ticketKeySecret = 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff
ticketMacSecret = ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100
`

// TestProcessesShareTickets has a ticket of one process at others: with its secrets, as
// another service, with other secrets, and with none.
func TestProcessesShareTickets(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	backend := saying(t, "backend")
	process := func(options, service, cert string) *testpeer.Daemon {
		return start(t, options+"\n["+service+"]\naccept = 127.0.0.1:0\nconnect = "+backend+"\ncert = "+cert+"\n")
	}
	rsa := certs.ServerRSA(t)
	first := process(sharedSecrets, "s", certs.Server)
	for _, v := range versions {
		file := filepath.Join(t.TempDir(), "session")
		sessionTalk(t, first, "s", v.openssl, "-sess_out", file)
		for _, c := range []struct {
			what, options, service, cert string
			want                         bool
		}{
			// Suites of TLS 1.2 name the kind of key, and a session has its suite.
			{"with the secrets and another certificate", sharedSecrets, "s", rsa, v.log == "TLSv1.3"},
			{"with the secrets and the certificate", sharedSecrets, "s", certs.Server, true},
			{"as another service", sharedSecrets, "other", certs.Server, false},
			{"with other secrets", strings.Replace(sharedSecrets, "00:11", "00:12", 1), "s", certs.Server, false},
			{"with secrets in each other's place", swapped, "s", certs.Server, false},
			{"without secrets", "", "s", certs.Server, false},
		} {
			d := process(c.options, c.service, c.cert)
			if _, resumed := sessionTalk(t, d, c.service, v.openssl, "-sess_in", file); resumed != c.want {
				t.Errorf("%s %s: resumed %v", v.log, c.what, resumed)
			}
		}
	}
}

const swapped = `
ticketMacSecret = 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff
ticketKeySecret = ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100
`

// TestSessiondShares has two processes share sessions through sessiond, and a third
// that lacks the secrets; when sessiond is gone, handshakes are whole.
func TestSessiondShares(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	backend := saying(t, "backend")
	keeper, at := startSessiond(t)
	process := func(options string) *testpeer.Daemon {
		return start(t, "sessiond = "+at+"\n"+options+"[s]\naccept = 127.0.0.1:0\nconnect = "+backend+"\ncert = "+certs.Server+"\n")
	}
	one, two, stranger := process(sharedSecrets), process(sharedSecrets), process("")
	stranger.WaitLine(`LOG4\[ui\]: Service \[s\] uses "sessiond" without "ticketKeySecret" and "ticketMacSecret": `)
	dir := t.TempDir()
	for _, v := range versions {
		file := filepath.Join(dir, v.log)
		sessionTalk(t, one, "s", v.openssl, "-sess_out", file)
		if _, resumed := sessionTalk(t, stranger, "s", v.openssl, "-sess_in", file); resumed {
			t.Error("a process without the secrets takes the session")
		}
		if _, resumed := sessionTalk(t, two, "s", v.openssl, "-sess_in", file); !resumed {
			t.Error("a process with the secrets does not take the session")
		}
	}
	two.WaitLines(`LOG7\[\d+\]: sessiond: session found$`, 2)
	for _, size := range keeper.WaitLines(`^new [0-9a-f]{8} for 5m0s: (\d+) bytes, `, 2) {
		t.Logf("a session is %s bytes", size)
	}
	sessionTalk(t, one, "s", "-tls1_3", "-sess_out", filepath.Join(dir, "last"))
	keeper.Signal(os.Kill)
	keeper.Wait()
	if _, resumed := sessionTalk(t, two, "s", "-tls1_3", "-sess_in", filepath.Join(dir, "last")); resumed {
		t.Error("a session came from nowhere")
	}
	two.WaitLine(`LOG7\[\d+\]: sessiond: read udp4? .*connection refused$`)
}

// TestStunnelUsesSessiond has the real stunnel as client of the same sessiond: its packets
// are what ours are, around OpenSSL's DER.
func TestStunnelUsesSessiond(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	certs := testpeer.Certs(t)
	keeper, at := startSessiond(t)
	conf := "sessiond = " + at + "\n[s]\naccept = 127.0.0.1:0\nconnect = " + saying(t, "backend") + "\ncert = " + certs.Server + "\n"
	one, two := testpeer.Start(t, stunnel, conf), testpeer.Start(t, stunnel, conf)
	file := filepath.Join(t.TempDir(), "session")
	sessionTalk(t, one, "s", "-tls1_2", "-sess_out", file)
	id := keeper.WaitLine(`^new ([0-9a-f]{8}) for 5m0s: \d+ bytes, 30`) // a DER sequence
	// stunnel waits 200 us for the answer: whether it comes in time is the machine's affair.
	sessionTalk(t, two, "s", "-tls1_2", "-sess_in", file)
	keeper.WaitLine(`^get ` + id + `: true$`)
	if refused := keeper.Count(`^refused: `); refused > 0 {
		t.Errorf("%d of stunnel's packets are refused", refused)
	}
	// What stunnel left there is nothing to us, and does no harm.
	ours := start(t, "sessiond = "+at+"\n"+sharedSecrets+"[s]\naccept = 127.0.0.1:0\nconnect = "+
		testpeer.Serve(t, func(c net.Conn) { c.Write([]byte("ours says hello\n")) })+"\ncert = "+certs.Server+"\n")
	if _, resumed := sessionTalk(t, ours, "s", "-tls1_2", "-sess_in", file); resumed {
		t.Error("a session of stunnel's is resumed")
	}
}
