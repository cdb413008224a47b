package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

const secret = "open sesame 42"

// locked makes the server's certificate in forms that need the passphrase, by name, as
// lines of a configuration, and the file that the question is about.
func locked(t *testing.T, certs *testpeer.Certificates) map[string]struct{ lines, asked string } {
	t.Helper()
	dir, pass := t.TempDir(), "pass:"+secret
	p8, old, p12, weak := filepath.Join(dir, "p8.pem"), filepath.Join(dir, "old.pem"), filepath.Join(dir, "x.p12"), filepath.Join(dir, "legacy.p12")
	openssl(t, "pkcs8", "-topk8", "-in", certs.Server, "-out", p8, "-passout", pass)
	openssl(t, "ec", "-in", certs.Server, "-aes128", "-out", old, "-passout", pass)
	openssl(t, "pkcs12", "-export", "-in", certs.Server, "-out", p12, "-passout", pass)
	openssl(t, "pkcs12", "-export", "-legacy", "-in", certs.Server, "-out", weak, "-passout", pass)
	return map[string]struct{ lines, asked string }{
		"PKCS 8":         {"cert = " + certs.Server + "\nkey = " + p8, p8},
		"PEM headers":    {"cert = " + certs.Server + "\nkey = " + old, old},
		"PKCS 12":        {"cert = " + p12, p12},
		"PKCS 12 legacy": {"cert = " + weak, weak},
	}
}

// conf writes a configuration that is whole.
func writeConf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stunnel.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// background gives the process number of a daemon that has left the terminal, from its pid
// file. It ends with the test.
func background(t *testing.T, file string) int {
	t.Helper()
	pid, err := strconv.Atoi(testpeer.WaitFile(t, file, `^(\d+)\n`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

// greets makes a handshake with a service.
func greets(t *testing.T, address string) {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestPassphraseOnTerminal has stunnel and us ask alike: three attempts, nothing shown,
// and no question at a reload.
func TestPassphraseOnTerminal(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	certs := testpeer.Certs(t)
	for name, form := range locked(t, certs) {
		for program, binary := range map[string]string{"ours": self(t), "stunnel": stunnel} {
			if program == "stunnel" && strings.Contains(name, "legacy") {
				continue // its OpenSSL has RC2 in a provider that it does not load
			}
			t.Run(name+" "+program, func(t *testing.T) {
				t.Parallel()
				conf := writeConf(t, fmt.Sprintf("foreground = yes\nsyslog = no\ndebug = 7\npid =\n[a]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n%s\n", form.lines))
				tty := testpeer.RunTTY(t, binary, conf)
				prompt := regexp.QuoteMeta("Enter " + form.asked + " pass phrase:")
				for i, answer := range []string{"no", "wrong", secret} {
					tty.WaitText(prompt, i+1)
					if program == "ours" && tty.Echoes() { // OpenSSL prompts first
						t.Error("the terminal shows what is typed")
					}
					tty.Type(answer)
				}
				address := tty.WaitText(`\[a\] \(FD=\d+\) bound to (\S+)`, 1)
				if program == "ours" && !tty.Echoes() {
					t.Error("the terminal is left without echo")
				}
				greets(t, address)
				tty.Signal(syscall.SIGHUP)
				tty.WaitText(`Configuration successful`, 2)
				tty.Signal(syscall.SIGTERM)
				if status := tty.Wait(); status != 0 {
					t.Errorf("exit status %d", status)
				}
				text := tty.Text()
				if n := strings.Count(text, "pass phrase:"); n != 3 {
					t.Errorf("asked %d times", n)
				}
				if n := strings.Count(text, "Wrong passphrase: retrying"); n != 2 {
					t.Errorf("%d lines about wrong passphrases", n)
				}
				if program == "ours" && strings.Contains(text, secret) {
					t.Error("the passphrase is on the terminal")
				}
			})
		}
	}
}

func TestWrongPassphrases(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	form := locked(t, certs)["PKCS 8"]
	conf := writeConf(t, "foreground = yes\nsyslog = no\n[a]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n"+form.lines+"\n")
	for _, args := range [][]string{{conf}, {"check", conf}} {
		tty := testpeer.RunTTY(t, self(t), args...)
		// A word that the log has stays there: a gap in its place would tell what was typed.
		for i, answer := range []string{"nearly " + secret, "wrong", "passphrase"} {
			tty.WaitText("pass phrase:", i+1)
			tty.Type(answer)
		}
		tty.WaitText("private key in "+regexp.QuoteMeta(form.asked)+": wrong passphrase", 1)
		if status := tty.Wait(); status != 1 {
			t.Errorf("%q: exit status %d", args, status)
		}
		if text := tty.Text(); strings.Contains(text, secret) {
			t.Errorf("%q: the passphrase is shown", args)
		}
	}
}

// A daemon that leaves the terminal asks before it does.
func TestPassphraseInBackground(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	dir := t.TempDir()
	log, pid := filepath.Join(dir, "log"), filepath.Join(dir, "pid")
	form := locked(t, certs)["PKCS 12"]
	conf := writeConf(t, fmt.Sprintf("foreground = no\nsyslog = no\ndebug = 7\npid = %s\noutput = %s\n[a]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n%s\n", pid, log, form.lines))
	tty := testpeer.RunTTY(t, self(t), conf)
	for i, answer := range []string{"wrong", secret} {
		tty.WaitText("Enter "+regexp.QuoteMeta(form.asked)+" pass phrase:", i+1)
		if tty.Echoes() {
			t.Error("the terminal shows what is typed")
		}
		tty.Type(answer)
	}
	if status := tty.Wait(); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	if !tty.Echoes() {
		t.Error("the terminal is left without echo")
	}
	number := background(t, pid)
	address := testpeer.WaitFile(t, log, `\[a\] \(FD=\d+\) bound to (\S+)`)
	greets(t, address)
	syscall.Kill(number, syscall.SIGHUP)
	testpeer.WaitFile(t, log, `(?s)Configuration successful.*Configuration successful`)
	greets(t, address)
	if written, err := os.ReadFile(log); err != nil || strings.Contains(string(written), secret) || strings.Contains(string(written), "ailed") {
		t.Errorf("the log is %s, %v", written, err)
	}
}

// Who interrupts the question in the background gets the shell back as it was, and no
// daemon.
func TestPassphraseInterrupted(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	form := locked(t, certs)["PKCS 8"]
	for _, foreground := range []string{"yes", "no"} {
		pid := filepath.Join(t.TempDir(), "pid")
		conf := writeConf(t, "foreground = "+foreground+"\nsyslog = no\npid = "+pid+"\n[a]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n"+form.lines+"\n")
		tty := testpeer.RunTTY(t, self(t), conf)
		tty.WaitText("pass phrase:", 1)
		tty.Type("wrong")
		tty.WaitText("pass phrase:", 2)
		tty.Signal(syscall.SIGINT)
		if status := tty.Wait(); status != -1 {
			t.Errorf("foreground = %s: exit status %d, not by the signal", foreground, status)
		}
		if !tty.Echoes() {
			t.Errorf("foreground = %s: the terminal is left without echo", foreground)
		}
		if _, err := os.Stat(pid); err == nil {
			t.Errorf("foreground = %s: a daemon runs", foreground)
		}
	}
}

func TestPassphraseWithoutTerminal(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	file := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(file, []byte(secret+"\r\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, form := range locked(t, certs) {
		t.Run(name, func(t *testing.T) {
			conf := writeConf(t, "foreground = yes\nsyslog = no\n[a]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n"+form.lines+"\n")
			c := exec.Command(self(t), conf)
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			out, err := testpeer.CombinedOutput(t, c)
			for _, want := range []string{form.asked + ": there is no terminal to ask for the passphrase", "set keyPassphraseFile = FILE"} {
				if err == nil || !strings.Contains(string(out), want) {
					t.Errorf("%v, %s; want %q", err, out, want)
				}
			}
			d := start(t, "[a]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\nkeyPassphraseFile = "+file+"\n"+form.lines+"\n")
			greets(t, d.Addr("a"))
			d.Signal(syscall.SIGHUP)
			d.WaitLines("Configuration successful", 2)
			if strings.Contains(d.Output(), secret) {
				t.Error("the passphrase is in the log")
			}
		})
	}
	if err := os.WriteFile(file, []byte("other\n"), 0o604); err != nil {
		t.Fatal(err)
	}
	d := testpeer.Launch(t, self(t), "[a]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\nkeyPassphraseFile = "+file+"\n"+locked(t, certs)["PKCS 8"].lines+"\n")
	d.WaitLine("wrong passphrase in " + regexp.QuoteMeta(file))
	if status := d.Wait(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}
