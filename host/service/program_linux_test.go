package service

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// script writes a program for /bin/sh.
func script(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExec has many programs at once, each of which says what it was told.
func TestExec(t *testing.T) {
	t.Setenv("SSL_CLIENT_DN", "CN=admin")
	t.Setenv("GODEBUG", os.Getenv("GODEBUG"))
	b := newBench(t, logging.Debug)
	b.apply(`
debug = debug
[main]
accept = 127.0.0.1:0
exec = ` + script(t, `echo "$1 $2 $#,$REMOTE_HOST,$REMOTE_PORT,$SSL_CLIENT_DN,$SSL_CLIENT_I_DN,$GODEBUG"; exec cat`) + `
execArgs = name   "a  b"
cert = {server}
CAfile = {root}
verifyChain = yes
requireCert = no
`)
	const clients = 40
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			c := callTLS(t, b.addr("main"), &tls.Config{Certificates: []tls.Certificate{pair(t, b.certs.Client)}})
			defer c.Close()
			_, port, _ := strings.Cut(c.LocalAddr().String(), ":")
			io.WriteString(c, "through\n")
			c.CloseWrite()
			text, err := io.ReadAll(c)
			want := fmt.Sprintf("\"a b\" 2,127.0.0.1,%s,O=Test, CN=client,O=Test, CN=Test Intermediate,", port)
			if !strings.HasPrefix(string(text), want) || !strings.HasSuffix(string(text), ",\nthrough\n") || err != nil {
				t.Errorf("read %q, %v; want %q", text, err, want)
			}
		})
	}
	wg.Wait()
	b.waitLog(`LOG6\[\d+\]: Local mode child started \(PID=\d+\)\n`, clients)
	b.waitLog(`LOG6\[ui\]: Child process \d+ finished with code 0\n`, clients)
	b.waitLog(`Connection closed: `, clients)
}

// TestExecOfNothing has a program that is not there: the client is told by a reset.
func TestExecOfNothing(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("[main]\naccept = 127.0.0.1:0\nexec = /nonexistent\ncert = {server}\n")
	c := callTLS(t, b.addr("main"), nil)
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || err == io.EOF {
		t.Errorf("read %d bytes, %v", n, err)
	}
	b.waitLog(`LOG3\[0\]: exec /nonexistent: No such file or directory \(2\)\n`, 1)
	b.waitLog(`Connection reset: 0 byte`, 1)
}

// TestExecAsksFirst has a policy deny, and a certificate that does not pass: neither
// starts the program.
func TestExecAsksFirst(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	program := script(t, "touch "+started)
	b := newBench(t, logging.Debug)
	b.apply(`
[denied]
accept = 127.0.0.1:0
exec = ` + program + `
cert = {server}
` + deciding(t, "y") + `
[redirected]
accept = 127.0.0.1:0
exec = ` + program + `
cert = {server}
CAfile = {root}
verifyChain = yes
redirect = ` + testpeer.Serve(t, says("decoyed")) + `
`)
	c := callTLS(t, b.addr("denied"), nil)
	if text, _ := io.ReadAll(c); len(text) > 0 {
		t.Errorf("denied, and read %q", text)
	}
	c.Close()
	c = callTLS(t, b.addr("redirected"), nil)
	want(t, c, "decoyed")
	c.Close()
	b.waitLog(`Connection (closed|reset)`, 2)
	b.stop()
	if _, err := os.Stat(started); err == nil || strings.Contains(b.text(), "child started") {
		t.Error("the program was started")
	}
}

// TestTerminalOfExec has a program on a terminal: its end is the connection's, and the
// client's end hangs up on it.
func TestTerminalOfExec(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\n[main]\naccept = 127.0.0.1:0\nexec = " + script(t, `stty -echo; echo ready; read x; echo "$x"; [ "$x" = stay ] && exec sleep 1000`) + "\npty = yes\ncert = {server}\n")
	for _, word := range []string{"end", "stay"} {
		c := callTLS(t, b.addr("main"), nil)
		want(t, c, "ready\r\n")
		io.WriteString(c, word+"\n")
		want(t, c, word+"\r\n")
		if word == "stay" {
			c.CloseWrite()
		}
		if text, err := io.ReadAll(c); len(text) > 0 || err != nil {
			t.Errorf("%s: read %q, %v", word, text, err)
		}
		c.Close()
	}
	b.waitLog(`TTY=/dev/pts/\d+ allocated\n`, 2)
	b.waitLog(`Child process \d+ (finished with code 1|terminated on SIGHUP)\n`, 2)
	b.waitLog(`Connection closed: `, 2)
}

// TestStanding has a service that starts by itself and again, until a reload takes it
// away; what it is doing then goes on.
func TestStanding(t *testing.T) {
	back, arrived := counted(t, testpeer.Echo)
	b := newBench(t, logging.Debug)
	server := b.certs.Server
	front := newBench(t, logging.Debug)
	front.apply("[front]\naccept = 127.0.0.1:0\nconnect = " + back + "\ncert = " + server + "\n")
	conf := "debug = debug\n[main]\nclient = yes\nconnect = " + front.addr("front") + "\nexec = "
	b.apply(conf + script(t, `echo "$REMOTE_HOST."; read x; [ "$x" = . ] && exit 5`) + "\nretry = 1\n")
	b.waitLog(`LOG5\[0_0\]: Service \[main\] accepted connection from 127\.0\.0\.1:\d+\n`, 1)
	b.waitLog(`LOG6\[0_\d+\]: Retrying an exec\+connect section\n`, 3)
	b.waitLog(`Child process \d+ finished with code 5\n`, 3)
	b.apply(conf + script(t, "exec cat") + "\n")
	b.waitLog(`LOG5\[1\]: Service \[main\] connected remote server`, 1)
	n := strings.Count(b.text(), "Retrying")
	b.stop()
	if now := strings.Count(b.text(), "Retrying"); now > n+1 || arrived.Load() < 3 {
		t.Errorf("%d times after the reload; %d connections", now-n, arrived.Load())
	}
}

// TestStopEndsStanding stops a Server while its program waits for its next turn.
func TestStopEndsStanding(t *testing.T) {
	b := newBench(t, logging.Debug)
	b.apply("debug = debug\n[main]\nclient = yes\nconnect = " + closedPort(t) + "\nexec = /bin/cat\nretry = 3600000\n")
	b.waitLog(`Connection reset: `, 1)
	b.stop() // fails when it does not return
}
