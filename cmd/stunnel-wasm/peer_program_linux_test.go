package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// program writes a shell script.
func program(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestProgramsSeeWhatStunnelShows runs one configuration with stunnel and with this
// program, and compares what the programs find: arguments, environment, descriptors, and
// what ends it.
func TestProgramsSeeWhatStunnelShows(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	conf := `
[plain]
accept = 127.0.0.1:0
cert = ` + certs.Server + `
CAfile = ` + certs.Root + `
verifyChain = yes
exec = ` + program(t, `echo "BEGIN $# $*"; env; echo standard error >&2; echo END; read x; kill -9 $$`) + `
execArgs = sh   "one two"  three
`
	seen := map[string][]string{}
	for _, binary := range []string{testpeer.Need(t, "stunnel4", "stunnel4"), self(t)} {
		d := testpeer.StartEnv(t, []string{"REMOTE_HOST=192.0.2.66", "GODEBUG=x509sha1=1"}, binary, strings.Replace(conf, ":0", ":"+testpeer.FreePort(t), 1))
		c := sClient(t, d, "plain", "-quiet", "-cert", certs.Client, "-cert_chain", certs.Client)
		c.WaitLine("^END$")
		fmt.Fprintln(c.Stdin)
		d.WaitLine(`LOG6\[0\]: Local mode child started \(PID=\d+\)$`)
		d.WaitLine(`LOG5\[0\]: Connection (closed|reset)`)
		d.WaitLine(`^standard error$`) // of a daemon in the foreground
		if binary == self(t) {
			d.WaitLine(`LOG6\[ui\]: Child process \d+ terminated on SIGKILL$`)
		}
		var lines []string
		inside := false
		for _, l := range c.Lines() {
			inside = inside || strings.HasPrefix(l, "BEGIN")
			name, _, _ := strings.Cut(l, "=")
			// What differs by what is started, and what is left out on purpose.
			if inside && !slices.Contains([]string{"REMOTE_PORT", "_", "GODEBUG", "PWD", "OLDPWD", "SHLVL"}, name) {
				lines = append(lines, l)
			}
			inside = inside && l != "END"
		}
		if slices.ContainsFunc(c.Lines(), func(l string) bool { return strings.HasPrefix(l, "GODEBUG=") }) && binary == self(t) {
			t.Error("GODEBUG reaches the program")
		}
		for _, want := range []string{"BEGIN 3 \"one two\" three", "REMOTE_HOST=127.0.0.1", "SSL_CLIENT_DN=O=Test, CN=client"} {
			if binary == self(t) && !slices.Contains(c.Lines(), want) {
				t.Errorf("%q is missing", want)
			}
		}
		slices.Sort(lines)
		seen[filepath.Base(binary)] = slices.DeleteFunc(lines, func(l string) bool { return l == "REMOTE_HOST=192.0.2.66" || strings.HasPrefix(l, "REMOTE_HOST=") })
	}
	theirs, ours := seen["stunnel4"], seen[filepath.Base(self(t))]
	if !slices.Equal(theirs, ours) {
		t.Errorf("with stunnel\n%s\nhere\n%s", strings.Join(theirs, "\n"), strings.Join(ours, "\n"))
	}
}

// TestProgramsBeginAfresh starts the daemon with a blocked and an ignored signal, and with
// a descriptor that is inherited.
func TestProgramsBeginAfresh(t *testing.T) {
	t.Parallel()
	python := testpeer.Need(t, "python3", "python3")
	certs := testpeer.Certs(t)
	begin := program(t, `exec `+python+` -c 'import os, signal, sys
os.set_inheritable(os.dup2(os.open("/dev/null", 0), 77), True)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
for s in (signal.SIGINT, signal.SIGPIPE, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' `+self(t)+` "$@"`)
	d := testpeer.Start(t, begin, `
[main]
accept = 127.0.0.1:0
cert = `+certs.Server+`
exec = /bin/sh
execArgs = sh `+program(t, `echo "BEGIN $(echo $(grep -E '^Sig(Blk|Ign)' /proc/self/status)) $(cd /proc/$$/fd; echo [0-9] [0-9][0-9])"; read x`)+`
`)
	c := sClient(t, d, "main", "-quiet")
	line := c.WaitLine("^BEGIN (.*)$")
	var blocked, ignored uint64
	if _, err := fmt.Sscanf(line, "SigBlk: %x SigIgn: %x 0 1 2", &blocked, &ignored); err != nil {
		t.Fatalf("the program finds %s: %v", line, err)
	}
	// Signals 32 and 33 are the C library's own, and no program sees them. That of GNU has the
	// children of its posix_spawn ignore them, and so whatever make or Python starts.
	const reserved = 1<<31 | 1<<32
	if blocked|ignored&^reserved != 0 || strings.Contains(line, "77") {
		t.Errorf("the program finds %s", line)
	}
}

// inetdConf writes the configuration of a server without a section, and the program to
// start it with: nothing of a super server's own environment is needed.
func inetdConf(t *testing.T, target string) (starter, conf, log string) {
	t.Helper()
	dir := t.TempDir()
	certs := testpeer.Certs(t)
	log, conf = filepath.Join(dir, "log"), filepath.Join(dir, "stunnel.conf")
	text := "syslog = no\ndebug = 7\noutput = " + log + "\ncert = " + certs.Server + "\n" + target + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return program(t, asDaemon+"=1 exec "+self(t)+" "+conf), conf, log
}

// exchangeLine has openssl say a line at an address and get it back.
func exchangeLine(t *testing.T, addr string) {
	t.Helper()
	c := testpeer.Run(t, testpeer.Need(t, "openssl", "openssl"), "s_client", "-connect", addr)
	say(t, c, "through a super server")
	c.Stdin.Close()
	c.Wait()
}

func wantInLog(t *testing.T, path string, lines ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if !strings.Contains(string(text), l) {
			t.Errorf("the log lacks %q:\n%s", l, text)
		}
	}
}

func TestInetd(t *testing.T) {
	t.Parallel()
	inetd := testpeer.Need(t, "inetd", "openbsd-inetd")
	testpeer.NeedRoot(t, "inetd")
	starter, _, log := inetdConf(t, "exec = /bin/cat")
	port := testpeer.FreePort(t)
	table := filepath.Join(t.TempDir(), "inetd.conf")
	if err := os.WriteFile(table, []byte("127.0.0.1:"+port+" stream tcp4 nowait root "+starter+" stunnel\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testpeer.Run(t, inetd, "-d", "-i", table)
	p.WaitPort("tcp", "127.0.0.1:"+port) // it is served too, and ends without a word of TLS
	exchangeLine(t, "127.0.0.1:"+port)
	wantInLog(t, log, "Service [stunnel] accepted connection from 127.0.0.1:", "Local mode child started")
}

func TestSystemdInetd(t *testing.T) {
	t.Parallel()
	activate := testpeer.Need(t, "systemd-socket-activate", "systemd")
	starter, _, log := inetdConf(t, "connect = "+testpeer.Serve(t, testpeer.Echo))
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	p := testpeer.Run(t, activate, "--inetd", "-a", "-l", addr, starter)
	p.WaitLine("^Listening on ")
	exchangeLine(t, addr)
	p.WaitLine("^Child \\d+ died with code 0$")
	wantInLog(t, log, "Service [stunnel] accepted connection from 127.0.0.1:", "Connection closed: 23 byte(s) sent to TLS, 23 byte(s) sent to socket")
}

// TestPipes has two pipes for standard input and output, a client service, and the
// configuration on a descriptor.
func TestPipes(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, "[server]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = "+certs.Server+"\n")
	for _, target := range []string{d.Addr("server"), "127.0.0.1:" + testpeer.FreePort(t)} {
		starter, conf, log := inetdConf(t, "client = yes\nconnect = "+target)
		text, err := os.ReadFile(conf)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.Replace(string(text), "cert = ", "#", 1))
		if err := os.WriteFile(conf, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, run := range []string{starter, program(t, asDaemon+"=1 exec "+self(t)+" -fd 5 5<"+conf)} {
			cmd := exec.Command(run)
			cmd.Stdin = strings.NewReader("through pipes\n")
			var complaints strings.Builder
			cmd.Stderr = &complaints
			out, err := testpeer.Output(t, cmd)
			if err != nil || complaints.Len() > 0 {
				t.Errorf("%v, and standard error has %q", err, &complaints) // whatever the outcome
			}
			if want := "through pipes\n"; target == d.Addr("server") && string(out) != want {
				t.Errorf("got %q, want %q", out, want)
			} else if target != d.Addr("server") && len(out) > 0 {
				t.Errorf("got %q", out)
			}
		}
		wantInLog(t, log, "Service [stunnel] accepted connection\n")
	}
}

// TestPeersOfInetdHearNothingOfTheConfiguration has a mistake in the file, and standard
// error on the connection as inetd has it.
func TestPeersOfInetdHearNothingOfTheConfiguration(t *testing.T) {
	t.Parallel()
	activate := testpeer.Need(t, "systemd-socket-activate", "systemd")
	starter, _, _ := inetdConf(t, "conect = 25")
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	p := testpeer.Run(t, activate, "--inetd", "-a", "-l", addr, program(t, "exec 2>&1; exec "+starter))
	p.WaitLine("^Listening on ")
	c := testpeer.Run(t, testpeer.Need(t, "openssl", "openssl"), "s_client", "-connect", addr)
	p.WaitLine("^Child \\d+ died with code 1$")
	c.Wait()
	c.WaitLine(`^SSL handshake has read 0 bytes`)
}
