package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestSessionsKeepTheCertificate resumes a session that was made with a client
// certificate, without offering it again: it counts, and is judged again. A session
// of a service that asks for none is worth nothing where one is required.
func TestSessionsKeepTheCertificate(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			d := start(t, `
connect = `+testpeer.Serve(t, testpeer.Echo)+`
cert = `+certs.Server+`
[open]
accept = 127.0.0.1:0
[closed]
accept = 127.0.0.1:0
verifyChain = yes
CAfile = `+certs.Root+`
`)
			dir := t.TempDir()
			talk := func(service string, args ...string) *testpeer.Process {
				c := sClient(t, d, service, append(args, v.openssl)...)
				say(t, c, "hello")
				c.Stdin.Close()
				c.Wait()
				return c
			}
			talk("closed", "-cert", certs.Client, "-key", certs.Client, "-cert_chain", certs.Chain, "-sess_out", filepath.Join(dir, "closed"))
			d.WaitLine(`LOG6\[0\]: TLS accepted: new session negotiated$`)
			talk("closed", "-sess_in", filepath.Join(dir, "closed"))
			d.WaitLine(`LOG6\[1\]: TLS accepted: previous session reused$`)
			d.WaitLine(`LOG5\[1\]: Certificate accepted at depth=0: O=Test, CN=client$`)

			talk("open", "-sess_out", filepath.Join(dir, "open"))
			d.WaitLine(`LOG6\[2\]: TLS accepted: new session negotiated$`)
			c := sClient(t, d, "closed", "-sess_in", filepath.Join(dir, "open"), v.openssl)
			d.WaitLine(`LOG3\[3\]: SSL_accept: peer did not return a certificate$`)
			c.Wait()
		})
	}
}

// sessionTalk has openssl connect to a service, with its session in a file that it
// writes (-sess_out) or reads (-sess_in), and gives the echo's first words and whether
// the session was resumed.
func sessionTalk(t *testing.T, d *testpeer.Daemon, service string, args ...string) (answer string, resumed bool) {
	t.Helper()
	c := sClient(t, d, service, append(args, "-ign_eof")...)
	if _, err := c.Stdin.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	// A ticket of TLS 1.3 comes before the answer.
	answer = c.WaitLine(`(\w+ says) hello$`)
	resumed = c.WaitLine(`^(New|Reused), `) == "Reused"
	c.Stdin.Close()
	c.Wait()
	return answer, resumed
}

// saying answers one line by another and closes.
func saying(t *testing.T, name string) string {
	return testpeer.Serve(t, func(c net.Conn) {
		line := make([]byte, 64)
		if n, err := c.Read(line); err == nil {
			c.Write(append([]byte(name+" says "), line[:n]...))
		}
	})
}

// reload has a daemon take another configuration, which ends with another round.
func reload(t *testing.T, d *testpeer.Daemon, n int, conf string) {
	t.Helper()
	d.Write(t, conf+round(n))
	d.Signal(syscall.SIGHUP)
	// The last service of the file is the last that takes over.
	if c, err := net.Dial("tcp", d.Addr("round"+strconv.Itoa(n))); err == nil { // else it was reset already
		defer c.Close()
	}
	d.WaitLine(`Service \[round` + strconv.Itoa(n) + `\] accepted connection from `)
}

// round is a service that listens where none did before.
func round(n int) string {
	name := strconv.Itoa(n)
	return "[round" + name + "]\nclient = yes\naccept = 127.0.1." + name + ":0\nconnect = 127.0.0.1:1\n"
}

// TestSessionsOutliveReloads resumes after reloads, and not where the reload says that
// the trust is another, or the certificate.
func TestSessionsOutliveReloads(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			backend := saying(t, "backend")
			conf := func(cert, ca string) string {
				return "[s]\naccept = 127.0.0.1:0\nconnect = " + backend + "\ncert = " + cert +
					"\nverifyChain = yes\nrequireCert = yes\nCAfile = " + ca + "\n"
			}
			d := start(t, conf(certs.Server, certs.Root))
			file := filepath.Join(t.TempDir(), "session")
			client := []string{v.openssl, "-cert", certs.Client, "-key", certs.Client, "-cert_chain", certs.Chain}
			sessionTalk(t, d, "s", append(client, "-sess_out", file)...)
			reload(t, d, 2, conf(certs.Server, certs.Root))
			if _, resumed := sessionTalk(t, d, "s", v.openssl, "-sess_in", file); !resumed {
				t.Error("a reload ends the session")
			}
			reload(t, d, 3, conf(certs.Server, certs.Other))
			c := sClient(t, d, "s", v.openssl, "-sess_in", file)
			d.WaitLine(`SSL_accept: certificate verify failed$`)
			c.Wait()
			reload(t, d, 4, conf(certs.ServerRSA(t), certs.Root))
			c = sClient(t, d, "s", v.openssl, "-sess_in", file)
			d.WaitLine(`SSL_accept: peer did not return a certificate$`)
			c.Wait()
		})
	}
}

// TestSessionsOfSecondaries has sessions of two names offered at each other's service.
func TestSessionsOfSecondaries(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		for _, option := range []string{"", "options = NO_TICKET\n"} {
			t.Run(v.log+" "+option, func(t *testing.T) {
				t.Parallel()
				d := start(t, option+"cert = "+certs.Server+
					"\n[main]\naccept = 127.0.0.1:0\nconnect = "+saying(t, "main")+
					"\n[one]\nsni = main:one.test\nconnect = "+saying(t, "one")+
					"\n[two]\nsni = main:two.test\nconnect = "+saying(t, "two")+"\n")
				dir := t.TempDir()
				names := []string{"main", "one", "two"}
				for _, name := range names {
					sessionTalk(t, d, "main", v.openssl, "-servername", name+".test", "-sess_out", filepath.Join(dir, name))
				}
				for _, from := range names {
					for _, at := range names {
						answer, resumed := sessionTalk(t, d, "main", v.openssl, "-servername", at+".test", "-sess_in", filepath.Join(dir, from))
						if answer != at+" says" || resumed != (from == at) {
							t.Errorf("a session of %s at %s: %s, resumed %v", from, at, answer, resumed)
						}
					}
				}
			})
		}
	}
}

// TestSessionOptions has each option of a server tell on openssl.
func TestSessionOptions(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, "cert = "+certs.Server+"\nconnect = "+saying(t, "backend")+`
[tickets]
accept = 127.0.0.1:0
sessionCacheSize = 1
[kept]
accept = 127.0.0.1:0
options = NO_TICKET
sessionCacheSize = 3
[small]
accept = 127.0.0.1:0
options = NO_TICKET
sessionCacheSize = 1
[over]
accept = 127.0.0.1:0
sessionCacheTimeout = 0
[none]
accept = 127.0.0.1:0
sessionResume = no
`)
	for _, v := range versions {
		for service, want := range map[string]bool{
			"tickets": true, // take no room
			"kept":    true,
			"small":   false, // the second session took the place of the first
			"over":    false,
			"none":    false,
		} {
			t.Run(v.log+" "+service, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				sessionTalk(t, d, service, v.openssl, "-sess_out", filepath.Join(dir, "1"))
				sessionTalk(t, d, service, v.openssl, "-sess_out", filepath.Join(dir, "2"))
				if _, err := os.Stat(filepath.Join(dir, "1")); err != nil {
					if want {
						t.Error(err)
					}
					return // no session at all
				}
				if _, resumed := sessionTalk(t, d, service, v.openssl, "-sess_in", filepath.Join(dir, "1")); resumed != want {
					t.Errorf("resumed: %v", resumed)
				}
			})
		}
	}
}

// TestStunnelSessionOptions has both programs resume, or not, by each side's options.
func TestStunnelSessionOptions(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	certs := testpeer.Certs(t)
	for _, v := range versions {
		for _, c := range []struct {
			server, client string
			resumed        bool
		}{
			{"options = NO_TICKET", "", true},
			{"sessionResume = no", "", false},
			{"", "sessionResume = no", false},
			{"sessionCacheTimeout = 0", "", false},
			{"ticketKeySecret = 00112233445566778899aabbccddeeff\nticketMacSecret = ffeeddccbbaa99887766554433221100", "", true},
		} {
			for name, programs := range map[string][2]string{"our server": {self(t), stunnel}, "our client": {stunnel, self(t)}} {
				want := c.resumed
				switch {
				case name == "our server":
				case strings.HasPrefix(c.server, "sessionCacheTimeout"):
					continue // OpenSSL has sessions of timeout 0 live to the end of their second
				case c.server == "options = NO_TICKET" && v.log == "TLSv1.2":
					want = false // by session id alone: docs/differences.md
				}
				t.Run(name+" "+v.log+" "+c.server+c.client, func(t *testing.T) {
					t.Parallel()
					s := testpeer.Start(t, programs[0], "sslVersion = "+v.log+"\n"+c.server+"\n[s]\naccept = 127.0.0.1:0\nconnect = "+
						testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.Server+"\n")
					d := testpeer.Start(t, programs[1], c.client+"\n[c]\nclient = yes\naccept = 127.0.0.1:0\nconnect = "+s.Addr("s")+"\n")
					for i, how := range []string{"new session negotiated", map[bool]string{true: "previous session reused", false: "new session negotiated"}[want]} {
						conn, err := net.Dial("tcp", d.Addr("c"))
						if err != nil {
							t.Fatal(err)
						}
						bulk(t, conn)
						id := strconv.Itoa(i)
						s.WaitLine(`LOG6\[` + id + `\]: TLS accepted: ` + how + `$`)
						s.WaitLine(`LOG5\[` + id + `\]: Connection closed: `)
						d.WaitLine(`LOG5\[` + id + `\]: Connection closed: `)
					}
				})
			}
		}
	}
}

// TestClientSessionsOutliveReloads has our client resume at stunnel's server after a
// reload; other trust refuses the server of the old session too.
func TestClientSessionsOutliveReloads(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	certs := testpeer.Certs(t)
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			s := testpeer.Start(t, stunnel, "sslVersion = "+v.log+"\n[s]\naccept = 127.0.0.1:0\nconnect = "+
				testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.Server+"\n")
			conf := func(ca string) string {
				return "[c]\nclient = yes\naccept = 127.0.0.1:0\nconnect = " + s.Addr("s") +
					"\nverifyChain = yes\ncheckHost = localhost\nCAfile = " + ca + "\n"
			}
			d := start(t, conf(certs.Root))
			talk := func(id, how string) {
				conn, err := net.Dial("tcp", d.Addr("c"))
				if err != nil {
					t.Fatal(err)
				}
				bulk(t, conn)
				d.WaitLine(`LOG6\[` + id + `\]: TLS connected: ` + how + `$`)
				d.WaitLine(`LOG5\[` + id + `\]: Connection closed: `)
			}
			talk("0", "new session negotiated")
			reload(t, d, 2, conf(certs.Root))
			talk("2", "previous session reused")
			reload(t, d, 3, conf(certs.Other))
			conn, err := net.Dial("tcp", d.Addr("c"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			d.WaitLine(`LOG3\[4\]: SSL_connect: certificate verify failed$`)
		})
	}
}

// TestPersistence has a session go back to its target whatever the turn is, after a
// reload too, and to another while its own is not there.
func TestPersistence(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		for _, option := range []string{"", "options = NO_TICKET\n"} {
			t.Run(v.log+" "+option, func(t *testing.T) {
				t.Parallel()
				targets := "connect = " + saying(t, "one") + "\nconnect = " + saying(t, "two") + "\nconnect = " + saying(t, "three") + "\n"
				conf := func() string {
					return option + "[s]\nfailover = rr\naccept = 127.0.0.1:0\ncert = " + certs.Server + "\n" + targets
				}
				d := start(t, conf())
				file := filepath.Join(t.TempDir(), "session")
				first, _ := sessionTalk(t, d, "s", v.openssl, "-sess_out", file)
				again := func(what string) {
					t.Helper()
					for range 2 {
						if answer, resumed := sessionTalk(t, d, "s", v.openssl, "-sess_in", file); answer != first || !resumed {
							t.Errorf("%s: %s, not %s; resumed %v", what, answer, first, resumed)
						}
					}
				}
				again("at once")
				d.WaitLines(`LOG6\[[12]\]: persistence: 127\.0\.0\.1:\d+ reused$`, 2)
				others := map[string]bool{first: true}
				for range 2 {
					answer, _ := sessionTalk(t, d, "s", v.openssl)
					others[answer] = true
				}
				if len(others) != 3 {
					t.Errorf("new sessions go to %v", others)
				}
				again("after others")
				reload(t, d, 2, conf())
				again("after a reload")
				targets = "connect = " + saying(t, "four") + "\nconnect = " + saying(t, "four") + "\n"
				reload(t, d, 3, conf())
				if answer, resumed := sessionTalk(t, d, "s", v.openssl, "-sess_in", file); answer != "four says" || !resumed {
					t.Errorf("without the target: %s, resumed %v", answer, resumed)
				}
				d.WaitLine(`LOG6\[\d+\]: persistence: 127\.0\.0\.1:\d+ not available$`)
			})
		}
	}
}

// TestCurlResumes has curl make two connections from one process. It takes no tickets in
// TLS 1.2 (docs/differences.md).
func TestCurlResumes(t *testing.T) {
	t.Parallel()
	curl := testpeer.Need(t, "curl", "curl")
	certs := testpeer.Certs(t)
	backend := testpeer.Serve(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
		}
	})
	for v, how := range map[string]string{"TLSv1.2": "new session negotiated", "TLSv1.3": "previous session reused"} {
		d := start(t, "sslVersion = "+v+"\n[s]\naccept = 127.0.0.1:0\nconnect = "+backend+"\ncert = "+certs.Server+"\n")
		url := "https://" + d.Addr("s") + "/"
		if status := testpeer.Run(t, curl, "-sS", "--cacert", certs.Root, url, url).Wait(); status != 0 {
			t.Errorf("curl's exit status is %d", status)
		}
		d.WaitLine(`LOG6\[0\]: TLS accepted: new session negotiated$`)
		d.WaitLine(`LOG6\[1\]: TLS accepted: ` + how + `$`)
	}
}

// TestClientKeepsServersApart has a client with two servers in turn, of which none knows the
// other's sessions: each gets its own back, the second time.
func TestClientKeepsServersApart(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, v := range versions {
		t.Run(v.log, func(t *testing.T) {
			t.Parallel()
			server := func() string {
				d := start(t, "sslVersion = "+v.log+"\n[s]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.Server+"\n")
				return d.Addr("s")
			}
			d := start(t, "[c]\nclient = yes\nfailover = rr\naccept = 127.0.0.1:0\nconnect = "+server()+"\nconnect = "+server()+"\nsni = localhost\n")
			for id, how := range []string{"new session negotiated", "new session negotiated", "previous session reused", "previous session reused"} {
				conn, err := net.Dial("tcp", d.Addr("c"))
				if err != nil {
					t.Fatal(err)
				}
				bulk(t, conn)
				d.WaitLine(`LOG6\[` + strconv.Itoa(id) + `\]: TLS connected: ` + how + `$`)
				d.WaitLine(`LOG5\[` + strconv.Itoa(id) + `\]: Connection closed: `)
			}
		})
	}
}
