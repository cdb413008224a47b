package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestSandboxByDefault takes from a process of nobody's what no configuration needs that
// starts no programs, and nothing else.
func TestSandboxByDefault(t *testing.T) {
	t.Parallel()
	testpeer.NeedRoot(t, "setpriv")
	const conf = "[a]\naccept = 127.0.0.1:0\nclient = yes\nconnect = 1\n"
	program := asNobody(t, self(t))
	for line, want := range map[string]struct {
		privs string
		owner uint32 // of what /proc shows to others: root's once it cannot be dumped
	}{"": {"1", 0}, "sandbox = no\n": {"0", nobody}, "sandbox = dumpable\n": {"0", 0}, "sandbox = No_New_Privs\n": {"1", nobody}} {
		d := testpeer.Start(t, program, line+conf)
		threads(t, d.PID(), map[string]string{"NoNewPrivs": want.privs, "Uid": "65534 65534 65534 65534"})
		fi, err := os.Stat(fmt.Sprintf("/proc/%d/maps", d.PID()))
		if err != nil {
			t.Fatal(err)
		}
		if uid := fi.Sys().(*syscall.Stat_t).Uid; uid != want.owner {
			t.Errorf("%q: memory is shown to %d", line, uid)
		}
		if n := d.Count(`LOG6\[ui\]: Sandbox: `); n != strings.Count(want.privs, "1")+1-int(want.owner/nobody) {
			t.Errorf("%q: %d lines about it", line, n)
		}
		d.Stop()
	}
}

// TestSandbox has all of it, and everything go on that the configuration says: a guest, a
// log that is reopened, names, reloads.
func TestSandbox(t *testing.T) {
	t.Parallel()
	testpeer.NeedRoot(t, "capabilities")
	certs := testpeer.Certs(t)
	backend := testpeer.Serve(t, says("served"))
	_, port, err := net.SplitHostPort(backend)
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	conf := `
sandbox = yes
output = ` + log + `
pid = ` + filepath.Join(t.TempDir(), "pid") + `
guestCache = ` + filepath.Join(t.TempDir(), "cache") + `
cert = ` + certs.Server + `
[a]
accept = 127.0.0.1:0
connect = localhost:` + port + `
delay = yes
[acl]
accept = 127.0.0.1:0
policy = acl
guestOption = acl.rule=allow from 127.0.0.0/8
connect = ` + backend + "\n"
	d := testpeer.Start(t, self(t), conf)
	threads(t, d.PID(), map[string]string{"NoNewPrivs": "1", "CapEff": "0000000000000406", "CapPrm": "0000000000000406", "CapBnd": "0000000000000406", "CapInh": "0000000000000000"})
	for _, part := range []string{"no_new_privs: ", "capabilities: dac_override,dac_read_search,net_bind_service$", `landlock: \d+ paths`, "dumpable off: "} {
		if n := len(d.WaitLines(`LOG6\[ui\]: Sandbox: `+part, 1)); n != 1 {
			t.Errorf("%s is said %d times", part, n)
		}
	}
	serves := func() {
		t.Helper()
		for _, name := range []string{"a", "acl"} {
			if got := heardFrom(t, d.Addr(name)); got != "served" {
				t.Errorf("[%s] says %q", name, got)
			}
		}
	}
	serves()
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	d.Signal(syscall.SIGUSR1)
	d.WaitLine(`Log file reopened$`)
	d.Signal(syscall.SIGHUP)
	d.WaitLines(`Configuration successful$`, 2)
	serves()
	elsewhere := filepath.Join(t.TempDir(), "own", "cert.pem")
	text, err := os.ReadFile(certs.Server)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.Mkdir(filepath.Dir(elsewhere), 0o700), os.WriteFile(elsewhere, text, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d.Write(t, conf+"[b]\naccept = 127.0.0.1:0\nconnect = 1\ncert = "+elsewhere+"\n")
	d.Signal(syscall.SIGHUP)
	d.WaitLine(`LOG3\[ui\]: sandbox: ` + filepath.Dir(elsewhere) + ` cannot be read since the start: restart for that$`)
	d.WaitLine(`LOG3\[ui\]: Failed to reload the configuration file$`)
	d.Write(t, strings.Replace(conf, "sandbox = yes", "sandbox = no", 1))
	d.Signal(syscall.SIGHUP)
	d.WaitLine(`LOG4\[ui\]: sandbox stays as it was at start: restart to change it$`)
	d.WaitLines(`Configuration successful$`, 3)
	serves()
}

// TestSandboxInJail has a jail, a user and all of the sandbox, and reloads there.
func TestSandboxInJail(t *testing.T) {
	t.Parallel()
	jail := newJail(t)
	certs := testpeer.Certs(t)
	d := testpeer.Start(t, self(t), `
sandbox = yes
chroot = `+jail+`
setuid = nobody
setgid = nogroup
output = /log
pid = /pid
[a]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("served"))+`
cert = `+certs.Server+"\n")
	d.WaitLine(`Sandbox: landlock: 3 paths of the configuration and the system, 0 ports$`)
	imprisoned(t, d.PID(), jail)
	threads(t, d.PID(), map[string]string{"NoNewPrivs": "1"})
	intoJail(t, jail, d.Config, certs.Server)
	d.Signal(syscall.SIGHUP)
	d.WaitLines(`Configuration successful$`, 2)
	if err := os.Rename(jail+"/log", jail+"/log.1"); err != nil {
		t.Fatal(err)
	}
	d.Signal(syscall.SIGUSR1)
	d.WaitLine(`Log file reopened$`)
	if got := heardFrom(t, d.Addr("a")); got != "served" {
		t.Errorf("the service says %q", got)
	}
	d.Stop()
	if _, err := os.Stat(jail + "/pid"); !os.IsNotExist(err) {
		t.Errorf("the pid file is left: %v", err)
	}
}
