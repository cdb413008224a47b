package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// forbidden and approved are handshakes that FIPS mode does not do, and does.
var (
	forbidden = []string{
		"-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305",
		"-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256",
		"-tls1_3 -groups X25519",
	}
	approved = []string{
		"-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 -groups P-256",
		"-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256 -groups P-384",
	}
)

// inFIPSMode finds out by handshakes alone whether a service is in FIPS mode.
func inFIPSMode(t *testing.T, address string) bool {
	t.Helper()
	program := testpeer.Need(t, "openssl", "openssl")
	try := func(args string) bool {
		c := exec.Command(program, append([]string{"s_client", "-connect", address}, strings.Fields(args)...)...)
		_, err := testpeer.CombinedOutput(t, c) // its input ends at once
		return err == nil
	}
	for _, args := range approved {
		if !try(args) {
			t.Errorf("%s fails", args)
		}
	}
	done := 0
	for _, args := range forbidden {
		if try(args) {
			done++
		}
	}
	if done != 0 && done != len(forbidden) {
		t.Errorf("%d of %d handshakes that FIPS mode does not do", done, len(forbidden))
	}
	return done == 0
}

func TestFIPS(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	pid := filepath.Join(t.TempDir(), "pid")
	conf := "pid = " + pid + "\n[a]\naccept = 127.0.0.1:0\nconnect = " + testpeer.Serve(t, testpeer.Echo) + "\ncert = " + certs.Server + "\n"
	d := start(t, "fips = yes\n"+conf)
	d.WaitLine(`LOG5\[ui\]: FIPS mode enabled$`)
	if !inFIPSMode(t, d.Addr("a")) {
		t.Error("handshakes that are not approved succeed")
	}
	text, err := os.ReadFile(pid)
	if err != nil || strings.TrimSpace(string(text)) != strconv.Itoa(d.PID()) {
		t.Errorf("the process was %d, the pid file says %s (%v)", d.PID(), text, err)
	}
	if n := d.Count("Reading configuration from file"); n != 1 {
		t.Errorf("the log begins %d times", n)
	}
	d.Signal(syscall.SIGHUP)
	d.WaitLines(`Configuration successful$`, 2)
	if !inFIPSMode(t, d.Addr("a")) {
		t.Error("after a reload, handshakes that are not approved succeed")
	}
	d.Write(t, "fips = no\n"+conf)
	d.Signal(syscall.SIGHUP)
	d.WaitLine(`LOG3\[ui\]: fips cannot change while the program runs: restart it$`)
	d.WaitLine(`Failed to reload the configuration file$`)
	if !inFIPSMode(t, d.Addr("a")) {
		t.Error("after a reload that failed, handshakes that are not approved succeed")
	}
	off := start(t, "fips = no\n[a]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.Server+"\n")
	off.WaitLine(`LOG5\[ui\]: FIPS mode disabled$`)
	if inFIPSMode(t, off.Addr("a")) {
		t.Error("fips = no refuses handshakes")
	}
}

// A build or an environment that turns the mode on is overruled by fips = no alone.
func TestFIPSFromOutside(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for line, want := range map[string]bool{"": true, "fips = yes\n": true, "fips = no\n": false} {
		conf := writeConf(t, line+"foreground = yes\nsyslog = no\ndebug = 7\n[a]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.Server+"\n")
		c := exec.Command(self(t), conf)
		c.Env = append(os.Environ(), "GODEBUG=fips140=on")
		p := testpeer.RunCommand(t, c)
		if got := inFIPSMode(t, p.WaitLine(`\[a\] \(FD=\d+\) bound to (\S+)`)); got != want {
			t.Errorf("%q: FIPS mode %v", line, got)
		}
	}
}

// The text of a descriptor is read once, and is there for the second run and for reloads.
func TestFIPSFromDescriptor(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	c := exec.Command(self(t), "-fd", "0")
	p := testpeer.RunCommand(t, c)
	fmt.Fprintf(p.Stdin, "fips = yes\nforeground = yes\nsyslog = no\ndebug = 7\n[a]\naccept = 127.0.0.1:0\nconnect = %s\ncert = %s\n", testpeer.Serve(t, testpeer.Echo), certs.Server)
	p.Stdin.Close()
	if !inFIPSMode(t, p.WaitLine(`\[a\] \(FD=\d+\) bound to (\S+)`)) {
		t.Error("handshakes that are not approved succeed")
	}
	p.WaitLine(`Reading configuration from descriptor 0$`)
	p.Signal(syscall.SIGHUP)
	p.WaitLines(`Configuration successful$`, 2)
	p.Signal(syscall.SIGTERM)
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestFIPSInBackground(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	for _, descriptor := range []bool{false, true} {
		dir := t.TempDir()
		log, pid := filepath.Join(dir, "log"), filepath.Join(dir, "pid")
		text := fmt.Sprintf("fips = yes\nforeground = no\nsyslog = no\ndebug = 7\npid = %s\noutput = %s\n[a]\naccept = 127.0.0.1:0\nconnect = %s\ncert = %s\n", pid, log, testpeer.Serve(t, testpeer.Echo), certs.Server)
		c := exec.Command(self(t), writeConf(t, text))
		if descriptor {
			c = exec.Command(self(t), "-fd", "0")
			c.Stdin = strings.NewReader(text)
		}
		if out, err := testpeer.CombinedOutput(t, c); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		n := background(t, pid)
		testpeer.WaitFile(t, log, "FIPS mode enabled")
		if !inFIPSMode(t, testpeer.WaitFile(t, log, `\[a\] \(FD=\d+\) bound to (\S+)`)) {
			t.Error("handshakes that are not approved succeed")
		}
		syscall.Kill(n, syscall.SIGHUP)
		testpeer.WaitFile(t, log, `(?s)Configuration successful.*Configuration successful`)
		syscall.Kill(n, syscall.SIGTERM)
		testpeer.WaitFile(t, log, `Terminated`)
	}
}

// What setEnv says of the mode is for programs that are started, and not for the daemon,
// which would come up in another mode than its parent.
func TestFIPSAndSetEnvInBackground(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"fips = no\n", ""} {
		dir := t.TempDir()
		log, pid := filepath.Join(dir, "log"), filepath.Join(dir, "pid")
		conf := writeConf(t, line+"setEnv = GODEBUG=fips140=on\nforeground = no\nsyslog = no\npid = "+pid+"\noutput = "+log+
			"\n[a]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n")
		if out, err := testpeer.CombinedOutput(t, exec.Command(self(t), conf)); err != nil {
			t.Errorf("%q: %v: %s", line, err, out)
		}
		background(t, pid)
		testpeer.WaitFile(t, log, "FIPS mode disabled")
	}
}

// A program that does not come up in the mode that it began anew for says so, and does
// not begin again and again.
func TestFIPSDoesNotLoop(t *testing.T) {
	t.Parallel()
	conf := writeConf(t, "fips = yes\nforeground = yes\nsyslog = no\n[a]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n")
	c := exec.Command(self(t), conf)
	c.Env = append(os.Environ(), "GODEBUG=fips140=off", "_STUNNEL_WASM_FIPS=")
	out, err := testpeer.CombinedOutput(t, c)
	if err == nil || !strings.Contains(string(out), "fips = yes: the mode stays disabled") {
		t.Errorf("%v: %s", err, out)
	}
}
