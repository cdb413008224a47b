package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// shown is the first example of a document in docs that begins with a line.
func shown(t *testing.T, document, begin string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", document))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\n    ` + regexp.QuoteMeta(begin) + `\n((    .*)?\n)*`).FindString(string(text))
	if found == "" {
		t.Fatalf("%s has no example that begins with %s", document, begin)
	}
	return strings.ReplaceAll(found, "\n    ", "\n")
}

// endings has each service say how it has ended: the manager forgets those that nobody needs.
const endings = "[Service]\nExecStopPost=/bin/echo %n has ended: ${SERVICE_RESULT} ${EXIT_CODE} ${EXIT_STATUS}\n"

// socketUnits are the pair of units of the documents.
func socketUnits(t *testing.T) map[string]string {
	return map[string]string{
		"stunnel.socket":  shown(t, "processes.md", "[Socket]"),
		"stunnel.service": shown(t, "processes.md", "[Unit]"),
	}
}

// managed starts a service manager that has the program under test where the documents'
// units have it.
func managed(t *testing.T, units map[string]string) *testpeer.ServiceManager {
	t.Helper()
	program, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	units["service.d/endings.conf"] = endings
	return testpeer.StartManager(t, units, map[string]string{
		"program":      string(program), // the test's own lies where not every user may look
		"stunnel-wasm": "#!/bin/sh\n" + asDaemon + "=1 exec /usr/local/bin/program \"$@\"\n",
	})
}

// backends are services inside that say their names, and the sections that lead to them.
func backends(t *testing.T, m *testpeer.ServiceManager, names ...string) map[string]string {
	t.Helper()
	ports := map[string]string{}
	m.Network.Inside(func() {
		for _, name := range names {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Error(err)
				return
			}
			testpeer.ServeOn(t, ln, testpeer.Say(name))
			_, ports[name], _ = net.SplitHostPort(ln.Addr().String())
		}
	})
	return ports
}

// configure writes /etc/stunnel/stunnel.conf with one section, https.
func configure(t *testing.T, m *testpeer.ServiceManager, global, accept, connect string) {
	t.Helper()
	pair := filepath.Join(m.Conf, "server.pem")
	if _, err := os.Stat(pair); err != nil {
		text, err := os.ReadFile(testpeer.Certs(t).Server)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(pair, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := "syslog = no\ndebug = 6\n" + global + "\n[https]\naccept = " + accept + "\ncert = /etc/stunnel/server.pem\nconnect = " + connect + "\n"
	if err := os.WriteFile(filepath.Join(m.Conf, "stunnel.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// whileHeld runs systemctl, calls f when the daemon has asked for a name, answers, and
// waits until systemctl has returned, which it must not have before.
func whileHeld(t *testing.T, m *testpeer.ServiceManager, r *testpeer.SlowResolver, f func(), args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testpeer.Patience)
	defer cancel()
	cmd := m.Command(ctx, "systemctl", args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-r.Asked:
	case err := <-done:
		t.Fatalf("systemctl %v has not waited: %v\n%s", args, err, &out)
	case <-ctx.Done():
		t.Fatalf("systemctl %v: nobody asks for the name", args)
	}
	f()
	select {
	case err := <-done:
		t.Fatalf("systemctl %v has not waited: %v\n%s", args, err, &out)
	default:
	}
	r.Release()
	if err := <-done; err != nil {
		t.Fatalf("systemctl %v: %v\n%s", args, err, &out)
	}
}

func wantProperties(t *testing.T, m *testpeer.ServiceManager, unit string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := m.Property(unit, name); got != value {
			t.Errorf("%s is %q, not %q", name, got, value)
		}
	}
}

// wantMain checks that the main process is the daemon itself.
func wantMain(t *testing.T, m *testpeer.ServiceManager, unit string) {
	t.Helper()
	if exe, err := os.Readlink(m.Main(unit) + "/exe"); err != nil || filepath.Base(exe) != "program" {
		t.Errorf("the main process of %s is %s, %v", unit, exe, err)
	}
}

// https checks what port 443 inside leads to.
func https(t *testing.T, m *testpeer.ServiceManager, want string) {
	t.Helper()
	m.Network.Inside(func() { leadsTo(t, "127.0.0.1:443", want) })
}

// TestSystemdRunsSocketUnit has systemd run the pair of units of the documents, from the
// first connection to the end.
func TestSystemdRunsSocketUnit(t *testing.T) {
	t.Parallel()
	units := socketUnits(t)
	units["stunnel.service.d/watchdog.conf"] = "[Service]\nWatchdogSec=5\n" // of 30
	m := managed(t, units)
	r := testpeer.NewSlowResolver(t, m.Network)
	ports := backends(t, m, "one", "two")
	// The address is the unit's: this one nobody could bind.
	configure(t, m, "foreground = yes", "192.0.2.1:443", "name.test:"+ports["one"])
	m.Systemctl("start", "stunnel.socket")
	wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "inactive"})

	// Whoever comes first starts the daemon, and is served once it is ready.
	served := make(chan struct{})
	go func() {
		defer close(served)
		https(t, m, "one")
	}()
	select {
	case <-r.Asked:
	case <-served: // it has not, and the reason was said
		t.FailNow()
	}
	wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "activating", "SubState": "start"})
	r.Release()
	<-served
	m.Await("stunnel.service", "ActiveState", "active")
	wantProperties(t, m, "stunnel.service", map[string]string{
		"SubState":   "running",
		"StatusText": "Accepting new connections (services: 1)",
		"NRestarts":  "0",
	})
	wantMain(t, m, "stunnel.service")
	main := m.Main("stunnel.service")

	for _, name := range []string{"two", "one"} {
		configure(t, m, "foreground = yes", "192.0.2.1:443", "name.test:"+ports[name])
		whileHeld(t, m, r, func() {
			wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "reloading"})
			https(t, m, map[string]string{"one": "two", "two": "one"}[name])
		}, "reload", "stunnel.service")
		https(t, m, name)
		wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "active", "SubState": "running"})
	}
	if after := m.Main("stunnel.service"); after != main {
		t.Errorf("after the reloads the main process is %s, not %s", after, main)
	}

	// The watchdog ends what does not answer, and the socket stays.
	m.Systemctl("kill", "--kill-who=main", "--signal=STOP", "stunnel.service")
	r.Answer() // of the next one
	https(t, m, "one")
	m.Await("stunnel.service", "ActiveState", "active")
	wantProperties(t, m, "stunnel.service", map[string]string{"NRestarts": "1", "SubState": "running"})
	m.WaitText(`stunnel\.service: Watchdog timeout `, 1)
	m.WaitText(`stunnel\.service has ended: watchdog `, 1)
	wantMain(t, m, "stunnel.service")
	if after := m.Main("stunnel.service"); after == main {
		t.Errorf("after the watchdog the main process is %s still", after)
	}

	stopsWell(t, m, "stunnel.service")
	m.Systemctl("stop", "stunnel.socket")
}

// stopsWell stops a unit, whose daemon is to end by itself with status 0.
func stopsWell(t *testing.T, m *testpeer.ServiceManager, unit string) {
	t.Helper()
	m.Systemctl("stop", unit)
	m.WaitText(regexp.QuoteMeta(unit)+" has ended: success exited 0\r?$", 1)
	wantProperties(t, m, unit, map[string]string{"ActiveState": "inactive", "SubState": "dead"})
	for _, complaint := range []string{"not our child", "reception only permitted", "with signal SIGKILL"} {
		if strings.Contains(m.Text(), complaint) {
			t.Errorf("the manager has complained: %q", complaint)
		}
	}
}

// TestSystemdRunsBackground has the process that systemd has started go away: the manager
// looks after the one that stays.
func TestSystemdRunsBackground(t *testing.T) {
	t.Parallel()
	m := managed(t, socketUnits(t))
	r := testpeer.NewSlowResolver(t, m.Network)
	ports := backends(t, m, "one", "two")
	const global = "pid = /run/stunnel.pid\noutput = /run/stunnel.log"
	configure(t, m, global, "192.0.2.1:443", "name.test:"+ports["one"])
	whileHeld(t, m, r, func() {
		wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "activating"})
	}, "start", "stunnel.service")
	https(t, m, "one")
	wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "active", "SubState": "running"})
	wantMain(t, m, "stunnel.service")
	pidFile := "/proc/" + m.PID() + "/root/run/stunnel.pid"
	if text, err := os.ReadFile(pidFile); err != nil || strings.TrimSpace(string(text)) != m.Property("stunnel.service", "MainPID") {
		t.Errorf("the pid file says %s, %v", text, err)
	}

	configure(t, m, global, "192.0.2.1:443", "name.test:"+ports["two"])
	whileHeld(t, m, r, func() { https(t, m, "one") }, "reload", "stunnel.service")
	https(t, m, "two")

	m.Systemctl("kill", "--kill-who=main", "--signal=KILL", "stunnel.service")
	r.Answer() // of the next one
	https(t, m, "two")
	m.Await("stunnel.service", "ActiveState", "active")
	m.WaitText(`stunnel\.service has ended: signal killed KILL`, 1)
	wantProperties(t, m, "stunnel.service", map[string]string{"NRestarts": "1"})
	stopsWell(t, m, "stunnel.service")
}

// TestSystemdWaitsForReload has the daemon see the signal long after it was sent: systemctl
// waits all the same.
func TestSystemdWaitsForReload(t *testing.T) {
	t.Parallel()
	m := managed(t, map[string]string{"stunnel.service": shown(t, "operations.md", "[Service]")})
	r := testpeer.NewSlowResolver(t, m.Network)
	ports := backends(t, m, "one", "two")
	configure(t, m, "foreground = yes", "127.0.0.1:443", "name.test:"+ports["one"])
	whileHeld(t, m, r, func() {
		wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "activating"})
	}, "start", "stunnel.service")
	https(t, m, "one")
	wantMain(t, m, "stunnel.service")
	wantUser(t, m, "stunnel.service", "stunnel4")

	configure(t, m, "foreground = yes", "127.0.0.1:443", "name.test:"+ports["two"])
	m.Systemctl("kill", "--kill-who=main", "--signal=STOP", "stunnel.service")
	resumed := make(chan struct{})
	go func() {
		defer close(resumed)
		testpeer.WaitFile(t, m.Main("stunnel.service")+"/status", `ShdPnd:.*[13579bdf]\n`) // SIGHUP is the first
		m.Await("stunnel.service", "ControlPID", "0")
		wantProperties(t, m, "stunnel.service", map[string]string{"ActiveState": "reloading"})
		m.Systemctl("kill", "--kill-who=main", "--signal=CONT", "stunnel.service")
	}()
	whileHeld(t, m, r, func() { <-resumed }, "reload", "stunnel.service")
	https(t, m, "two")
	stopsWell(t, m, "stunnel.service")
}

// wantUser checks who runs a unit's daemon.
func wantUser(t *testing.T, m *testpeer.ServiceManager, unit, name string) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(m.Main(unit) + "/status")
	if want := fmt.Sprintf("\nUid:\t%[1]s\t%[1]s\t%[1]s\t%[1]s\nGid:\t%[2]s\t%[2]s\t%[2]s\t%[2]s\n", u.Uid, u.Gid); err != nil || !strings.Contains(string(status), want) {
		t.Errorf("the main process of %s is not %s's: %s, %v", unit, name, status, err)
	}
}

// TestSystemdRunsDebiansUnit has the unit of the package stunnel4, edited as the documents
// say, and a mistake in a reload.
func TestSystemdRunsDebiansUnit(t *testing.T) {
	t.Parallel()
	const unit, file = "stunnel@stunnel.service", "/lib/systemd/system/stunnel@.service"
	testpeer.NeedFile(t, file, "stunnel4")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := managed(t, map[string]string{
		"stunnel@.service":                 string(text),
		"stunnel@.service.d/override.conf": shown(t, "migration.md", "[Service]"),
	})
	ports := backends(t, m, "one")
	configure(t, m, "foreground = yes", "127.0.0.1:443", ports["one"])
	m.Systemctl("start", unit)
	https(t, m, "one")
	wantMain(t, m, unit)
	configure(t, m, "foreground = yes", "127.0.0.1:443", "")
	m.Systemctl("reload", unit)
	https(t, m, "one")
	wantProperties(t, m, unit, map[string]string{
		"ActiveState": "active", "SubState": "running",
		"StatusText": "Failed to reload the configuration file; the old one holds",
	})
	stopsWell(t, m, unit)
}

// TestSystemdRunsInetdMode has a process for each connection. The unit says nothing of
// standard output: systemd leads it to the socket too.
func TestSystemdRunsInetdMode(t *testing.T) {
	t.Parallel()
	m := managed(t, map[string]string{
		"imaps.socket":   "[Socket]\nListenStream=0.0.0.0:443\nAccept=yes\n",
		"imaps@.service": "[Service]\nExecStart=/usr/local/bin/stunnel-wasm /etc/stunnel/imaps.conf\nStandardInput=socket\n",
	})
	ports := backends(t, m, "one")
	configure(t, m, "foreground = yes", "127.0.0.1:443", ports["one"])
	text := "debug = 6\nsyslog = no\noutput = /dev/console\ncert = /etc/stunnel/server.pem\nconnect = " + ports["one"] + "\n"
	if err := os.WriteFile(filepath.Join(m.Conf, "imaps.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Systemctl("start", "imaps.socket")
	https(t, m, "one")
	m.WaitText(`imaps@0-127\.0\.0\.1:443-127\.0\.0\.1:\d+\.service: Deactivated successfully`, 1)
	https(t, m, "one")
	m.WaitText(`imaps@1-.*\.service: Deactivated successfully`, 1)
}
