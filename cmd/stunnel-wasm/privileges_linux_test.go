package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// Of nobody and nogroup on Debian, and of daemon.
const (
	nobody     = 65534
	daemonUser = 1
)

// publicDir is a temporary directory that every user can enter.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "stunnel-wasm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newJail is an empty directory of nobody's.
func newJail(t *testing.T) string {
	t.Helper()
	testpeer.NeedRoot(t, "chroot")
	dir := publicDir(t)
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}

// asNobody gives a program that starts another as nobody.
func asNobody(t *testing.T, program string) string {
	t.Helper()
	testpeer.NeedRoot(t, "setpriv")
	dir := publicDir(t)
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"program": string(text), // this test's own lies where nobody may not look
		"start":   "#!/bin/sh\ncat \"$1\" >" + dir + "/conf\nexec setpriv --reuid nobody --regid nogroup --clear-groups " + dir + "/program " + dir + "/conf\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "start")
}

// threads checks lines of status of all threads of a process, and that there is more than
// one where a Go program runs.
func threads(t *testing.T, pid int, want map[string]string) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("no threads of %d: %v", pid, err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task + "/status")
		if os.IsNotExist(err) {
			continue // it has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range want {
			m := regexp.MustCompile(`(?m)^` + name + `:\s*(.*?)\s*$`).FindStringSubmatch(string(text))
			if m == nil || strings.Join(strings.Fields(m[1]), " ") != value {
				t.Errorf("%s: %q, want %s %s", task, m, name, value)
			}
		}
	}
}

// imprisoned checks that a process is in a jail, as nobody, with no way back.
func imprisoned(t *testing.T, pid int, jail string) {
	t.Helper()
	threads(t, pid, map[string]string{
		"Uid": "65534 65534 65534 65534", "Gid": "65534 65534 65534 65534", "Groups": "65534",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000",
	})
	for _, link := range []string{"root", "cwd"} {
		if got, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, link)); err != nil || got != jail {
			t.Errorf("%s is %s (%v)", link, got, err)
		}
	}
}

// ownedBy checks whose a file is.
func ownedBy(t *testing.T, path string, uid, gid uint32) {
	t.Helper()
	fi, err := os.Lstat(path)
	if err != nil {
		t.Error(err)
		return
	}
	if st := fi.Sys().(*syscall.Stat_t); st.Uid != uid || st.Gid != gid {
		t.Errorf("%s belongs to %d:%d, want %d:%d", path, st.Uid, st.Gid, uid, gid)
	}
}

// TestJail has both daemons go into a jail as nobody: keys and ports are of root, the log
// and the pid file of nobody.
func TestJail(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	bothServers(t, func(t *testing.T, server string) {
		jail := newJail(t)
		d := testpeer.Start(t, server, `
chroot = `+jail+`
setuid = nobody
setgid = nogroup
pid = /pid
output = /log
[a]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("served"))+`
cert = `+certs.Server+"\n")
		d.WaitLine(`LOG5\[ui\]: Switched to chroot directory: ` + jail + `$`)
		if got := heardFrom(t, d.Addr("a")); got != "served" {
			t.Errorf("the service says %q", got)
		}
		imprisoned(t, d.PID(), jail)
		ownedBy(t, jail+"/log", nobody, nobody)
		ownedBy(t, jail+"/pid", nobody, nobody)
		if text, err := os.ReadFile(jail + "/pid"); err != nil || strings.TrimSpace(string(text)) != strconv.Itoa(d.PID()) {
			t.Errorf("the pid file has %q (%v)", text, err)
		}
		if err := os.Rename(jail+"/log", jail+"/log.1"); err != nil {
			t.Fatal(err)
		}
		d.Signal(syscall.SIGUSR1)
		d.WaitLine(`Log file reopened$`)
		ownedBy(t, jail+"/log", nobody, nobody)
		// stunnel is asked for its files by their names in the jail, too.
		d.Signal(syscall.SIGHUP)
		d.WaitLine(`LOG3\[\w+\]: Failed to reload the configuration file$`)
		if got := heardFrom(t, d.Addr("a")); got != "served" {
			t.Errorf("after a reload that failed the service says %q", got)
		}
		d.Stop()
		if _, err := os.Stat(jail + "/pid"); !os.IsNotExist(err) {
			t.Errorf("the pid file is left: %v", err)
		}
	})
}

// TestJailInBackground has both leave the terminal on their way.
func TestJailInBackground(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	bothServers(t, func(t *testing.T, server string) {
		jail := newJail(t)
		address := "127.0.0.1:" + testpeer.FreePort(t)
		conf := writeConf(t, `
chroot = `+jail+`
setuid = nobody
setgid = nogroup
pid = /pid
output = /log
syslog = no
[a]
accept = `+address+`
connect = `+testpeer.Serve(t, says("served"))+`
cert = `+certs.Server+"\n")
		if out, err := testpeer.CombinedOutput(t, exec.Command(server, conf)); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
		pid := background(t, jail+"/pid") // which stunnel writes after the start
		imprisoned(t, pid, jail)
		for fd := range 3 {
			if got, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd)); err != nil || got != "/dev/null" {
				t.Errorf("descriptor %d is %s (%v)", fd, got, err)
			}
		}
		if got := heardFrom(t, address); got != "served" {
			t.Errorf("the service says %q", got)
		}
	})
}

// TestPrivilegesRefused compares the words of both for what cannot be had.
func TestPrivilegesRefused(t *testing.T) {
	t.Parallel()
	testpeer.NeedRoot(t, "setpriv")
	certs := testpeer.Certs(t)
	bothServers(t, func(t *testing.T, server string) {
		for _, c := range []struct {
			lines, want string
			nobody      bool
		}{
			{"setuid = nosuchuser", `\[!\] .*:4: "setuid ?= ?nosuchuser": Illegal UID$`, false},
			{"setgid = nosuchgroup", `\[!\] .*:4: "setgid ?= ?nosuchgroup": Illegal GID$`, false},
			{"chroot = /nonexistent", `\[!\] chroot: No such file or directory \(2\)$`, false},
			{"chroot = /etc/passwd", `\[!\] chroot: Not a directory \(20\)$`, false},
			{"chroot = /", `\[!\] chroot: Operation not permitted \(1\)$`, true},
			{"setuid = daemon", `\[!\] setuid: Operation not permitted \(1\)$`, true},
			{"setgid = daemon", `\[!\] setgid: Operation not permitted \(1\)$`, true},
			{"setgid = nogroup", `\[!\] setgroups: Operation not permitted \(1\)$`, true},
		} {
			t.Run(c.lines, func(t *testing.T) {
				t.Parallel()
				program, cert := server, certs.Server
				if c.nobody {
					program = asNobody(t, server)
					text, err := os.ReadFile(cert)
					if err != nil {
						t.Fatal(err)
					}
					cert = filepath.Join(publicDir(t), "cert.pem")
					if err := os.WriteFile(cert, text, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				d := testpeer.Launch(t, program, c.lines+"\n[a]\naccept = 127.0.0.1:0\nconnect = 1\ncert = "+cert+"\n")
				if status := d.Wait(); status != 1 {
					t.Errorf("the exit status is %d", status)
				}
				d.WaitLine(c.want)
			})
		}
	})
}

// TestSocketOwner gives Unix sockets to users, as root and as one who owns nothing else.
func TestSocketOwner(t *testing.T) {
	t.Parallel()
	testpeer.NeedRoot(t, "setuid")
	bothServers(t, func(t *testing.T, server string) {
		dir := publicDir(t)
		d := testpeer.Start(t, server, fmt.Sprintf(`
setuid = nobody
client = yes
connect = 1
[both]
accept = %[1]s/both
setuid = daemon
setgid = daemon
[default]
accept = %[1]s/default
[group]
accept = %[1]s/group
setgid = daemon
setuid = 0
`, dir))
		d.WaitLine(`LOG7\[ui\]: Socket chown succeeded: ` + dir + `/both, UID=1, GID=1$`)
		ownedBy(t, dir+"/both", daemonUser, daemonUser)
		ownedBy(t, dir+"/default", nobody, 0)
		ownedBy(t, dir+"/group", 0, daemonUser)
		threads(t, d.PID(), map[string]string{"Uid": "65534 65534 65534 65534", "Gid": "0 0 0 0"})
	})
}

// Without root a socket goes to oneself; who else should have it is told of in the log.
func TestSocketOwnerWithoutRoot(t *testing.T) {
	t.Parallel()
	dir := newJail(t)
	d := testpeer.Start(t, asNobody(t, self(t)), fmt.Sprintf(`
client = yes
connect = 1
[own]
accept = %[1]s/own
setuid = nobody
setgid = nogroup
[group]
accept = %[1]s/group
setgid = nogroup
[other]
accept = %[1]s/other
setuid = daemon
`, dir))
	d.WaitLine(`Socket chown succeeded: ` + dir + `/own, UID=65534, GID=65534$`)
	d.WaitLine(`Socket chown succeeded: ` + dir + `/group, UID=0, GID=65534$`)
	d.WaitLine(`LOG3\[ui\]: Socket chown failed: ` + dir + `/other, UID=1, GID=0`)
	ownedBy(t, dir+"/other", nobody, nobody)
}

// intoJail copies files into a jail under the names that they have outside.
func intoJail(t *testing.T, jail string, files ...string) {
	t.Helper()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(jail+filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(jail+f, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReloadInJail reloads where there is nothing but the configuration and what it names:
// no list of users, no hosts, no resolver. Rules of libwrap that nobody asked for at start
// hold too.
func TestReloadInJail(t *testing.T) {
	t.Parallel()
	jail := newJail(t)
	certs := testpeer.Certs(t)
	backend := testpeer.Serve(t, says("served"))
	_, port, err := net.SplitHostPort(backend)
	if err != nil {
		t.Fatal(err)
	}
	conf := `
chroot = ` + jail + `
setuid = nobody
setgid = nogroup
output = /log
cert = ` + certs.Server + `
guestCache = ` + filepath.Join(t.TempDir(), "cache") + `
`
	service := func(name, accept, connect string) string {
		return "[" + name + "]\naccept = " + accept + "\nconnect = " + connect + "\n"
	}
	first := service("a", "127.0.0.1:0", backend)
	d := testpeer.Start(t, withHosts(t, self(t), "", "closed: ALL\n"), conf+first)
	address := d.Addr("a")
	again := func(text, want string) {
		t.Helper()
		before := d.Count(`Reading configuration from file`)
		d.Write(t, text)
		intoJail(t, jail, d.Config)
		d.Signal(syscall.SIGHUP)
		d.WaitLines(`Reading configuration from file`, before+1)
		d.WaitLine(want)
	}
	again(conf+first, `LOG3\[ui\]:   Files are looked for under `+jail+` since the start, by the same names$`)
	intoJail(t, jail, certs.Server)
	// localhost is known by the file that was read before.
	again(conf+first+service("b", "127.0.0.1:0", "localhost:"+port)+"delay = yes\n"+
		service("closed", "127.0.0.1:0", backend)+"libwrap = yes\n", `Service \[closed\] \(FD=\d+\) bound to`)
	d.WaitLine(`LOG6\[ui\]: guestCache is left alone after chroot and setuid$`)
	if d.Addr("a") != address {
		t.Error("the address has changed")
	}
	for name, want := range map[string]string{"a": "served", "b": "served", "closed": ""} {
		if got := heardFrom(t, d.Addr(name)); got != want {
			t.Errorf("[%s] says %q, want %q", name, got, want)
		}
	}
	d.WaitLine(`Service \[closed\] REFUSED by libwrap`)
	// Ports of root are out of reach.
	again(conf+first+service("low", "127.0.0.1:911", backend), `Binding service \[low\] to 127\.0\.0\.1:911: Permission denied \(13\)$`)
	d.WaitLines(`LOG3\[ui\]: Failed to reload the configuration file$`, 2)
	if got := heardFrom(t, address); got != "served" {
		t.Errorf("after a reload that failed the service says %q", got)
	}
	again(strings.Replace(conf, "nobody", "1", 1)+first, `LOG4\[ui\]: chroot, setgid and setuid stay as they were at start: restart to change them$`)
	imprisoned(t, d.PID(), jail)
}

// TestSyslogFromJail has lines go on to a syslog that cannot be seen any more, without a
// terminal. The socket is in the namespace's own /dev/log.
func TestSyslogFromJail(t *testing.T) {
	t.Parallel()
	jail := newJail(t)
	certs := testpeer.Certs(t)
	dir := t.TempDir()
	syslog, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: dir + "/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer syslog.Close()
	conf := writeConf(t, `
chroot = `+jail+`
setuid = nobody
setgid = nogroup
foreground = quiet
[a]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("served"))+`
cert = `+certs.Server+"\n")
	p := testpeer.Run(t, "/usr/bin/unshare", "-m", "sh", "-c",
		"mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 && ln -s "+dir+"/log /dev/log && exec "+self(t)+" "+conf)
	b := make([]byte, 4096)
	syslog.SetReadDeadline(time.Now().Add(testpeer.Patience))
	wait := func(want string) {
		t.Helper()
		for {
			n, err := syslog.Read(b)
			if err != nil {
				t.Fatalf("waiting for %q: %v; output:\n%s", want, err, p.Output())
			}
			if strings.Contains(string(b[:n]), want) {
				return
			}
		}
	}
	wait("Switched to chroot directory: " + jail)
	imprisoned(t, p.PID(), jail)
	p.Signal(syscall.SIGTERM)
	wait("Terminated")
	if status := p.Wait(); status != 0 {
		t.Errorf("the exit status is %d", status)
	}
}
