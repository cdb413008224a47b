package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// wineDir is where Debian's wine64 puts its programs.
const wineDir = "/usr/lib/wine"

// A wine is a Windows of its own with the program installed as stunnel is: in bin, the
// configuration in config. What its service control manager starts writes to system.
type wine struct {
	t      *testing.T
	env    []string
	exe    string
	config string // directory
	system *testpeer.Process
}

func newWine(t *testing.T) *wine {
	t.Helper()
	testpeer.NeedFile(t, wineDir+"/wine64", "wine64")
	testpeer.Need(t, "go", "golang-go")
	dir := t.TempDir()
	// Names with blanks, as under Program Files.
	w := &wine{t: t, exe: filepath.Join(dir, "program files", "bin", "stunnel.exe"), config: filepath.Join(dir, "program files", "config")}
	prefix := filepath.Join(dir, "prefix")
	w.env = append(os.Environ(), "HOME="+dir, "WINEPREFIX="+prefix, "DISPLAY=", "WINEDEBUG=-all,+eventlog",
		// Neither .NET nor a browser, which would be downloaded.
		"WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=")
	if err := os.MkdirAll(w.config, 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", w.exe, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "CGO_ENABLED=0")
	w.must(build)
	t.Cleanup(func() {
		_, _ = w.output(w.command(wineDir+"/wineserver", "-k")) // fails where it is on its way out already
		w.must(w.command(wineDir+"/wineserver", "-w"))          // until then it writes to the directory
	})
	w.must(w.command(wineDir+"/wine64", "wineboot", "-i"))
	// How long it waits for a service to begin: ten seconds are not enough under load.
	w.must(w.command(wineDir+"/wine64", "reg", "add", `HKLM\System\CurrentControlSet\Control`,
		"/v", "ServicesPipeTimeout", "/d", strconv.FormatInt(testpeer.Patience.Milliseconds(), 10)))
	w.must(w.command(wineDir+"/wineserver", "-w")) // its first service manager is on its way out
	w.addRandom(filepath.Join(prefix, "drive_c", "windows", "system32"))
	// Wine ends, and its services with it, when nobody uses it. Who comes first starts the
	// service manager, and gets what it writes.
	w.system = testpeer.RunCommand(t, w.command(wineDir+"/wine64", "cmd"))
	w.system.WaitLine("^Microsoft Windows")
	return w
}

// addRandom adds the library that Go takes random numbers from, which wine 8 lacks. It
// leads to what wine has for older programs.
func (w *wine) addRandom(system string) {
	w.t.Helper()
	clang, lld := testpeer.Need(w.t, "clang", "clang"), testpeer.Need(w.t, "lld-link", "lld")
	object := filepath.Join(w.t.TempDir(), "empty.o")
	w.must(exec.Command(clang, "--target=x86_64-pc-windows-msvc", "-x", "c", "-c", "/dev/null", "-o", object))
	w.must(exec.Command(lld, "/dll", "/noentry", "/machine:x64", "/nodefaultlib",
		"/export:ProcessPrng=advapi32.SystemFunction036", "/out:"+filepath.Join(system, "bcryptprimitives.dll"), object))
}

func (w *wine) command(path string, args ...string) *exec.Cmd {
	c := exec.Command(path, args...)
	c.Env = w.env
	return c
}

// output runs a command. It writes to a file: wine's own processes, which live on, would
// hold a pipe open.
func (w *wine) output(c *exec.Cmd) (string, error) {
	w.t.Helper()
	f, err := os.Create(filepath.Join(w.t.TempDir(), "output"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	c.Stdout, c.Stderr = f, f
	ended := c.Run()
	out, err := os.ReadFile(f.Name())
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out), ended
}

func (w *wine) must(c *exec.Cmd) {
	w.t.Helper()
	if out, err := w.output(c); err != nil {
		w.t.Fatalf("%q: %v\n%s", c.Args, err, out)
	}
}

// run runs the program to its end, which has to be of a status and with a text.
func (w *wine) run(status int, want string, args ...string) {
	w.t.Helper()
	c := w.command(wineDir+"/wine64", append([]string{w.exe}, args...)...)
	out, _ := w.output(c)
	if got := c.ProcessState.ExitCode(); got != status || !regexp.MustCompile(want).MatchString(out) {
		w.t.Errorf("%q: status %d, want %d and %q:\n%s", args, got, status, want, out)
	}
}

// failsToStart has -start tell of a service that ends at once. Wine looks at a service when
// it first tells its state, and takes one that has ended by then for one that is silent:
// that is no answer of ours, and asked for again.
func (w *wine) failsToStart() {
	w.t.Helper()
	const tries = 20
	for range tries {
		out, err := w.output(w.command(wineDir+"/wine64", w.exe, "-start"))
		if err != nil && strings.Contains(out, "StartService: Service request timeout") {
			continue
		}
		if err == nil || !strings.Contains(out, "failed to start service: the event log says why") {
			w.t.Errorf("-start: %v, %s", err, out)
		}
		return
	}
	w.t.Errorf("-start: wine has been too late %d times", tries)
}

// tests runs a package's tests as a program of Windows: all, or as args say.
func (w *wine) tests(dir string, args ...string) {
	w.t.Helper()
	exe := filepath.Join(w.t.TempDir(), "test.exe")
	build := exec.Command("go", "test", "-c", "-vet=off", "-o", exe, dir)
	build.Env = append(os.Environ(), "GOOS=windows", "CGO_ENABLED=0")
	w.must(build)
	out, err := w.output(w.command(wineDir+"/wine64", append([]string{exe, "-test.v"}, args...)...))
	if err != nil || !strings.Contains(out, "--- PASS") {
		w.t.Errorf("tests of %s: %v\n%s", dir, err, out)
	}
}

func (w *wine) write(conf string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.config, "stunnel.conf"), []byte(conf), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// serves has a conversation with what listens on an address.
func (w *wine) serves(addr string) {
	w.t.Helper()
	c := testpeer.Run(w.t, testpeer.Need(w.t, "openssl", "openssl"), "s_client", "-connect", addr)
	say(w.t, c, "hello")
	c.Stdin.Close()
	c.Wait()
}

// TestWine runs the program of Windows.
func TestWine(t *testing.T) {
	w := newWine(t)
	pem, err := os.ReadFile(testpeer.Certs(t).Server)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.config, "server.pem"), pem, 0o600); err != nil {
		t.Fatal(err)
	}
	addr := "127.0.0.1:" + testpeer.FreePort(t)
	// Names of files are from the directory of the configuration on, as in stunnel's
	// sample for Windows.
	conf := "output = stunnel.log\ndebug = info\ntaskbar = no\n[x]\naccept = " + addr + "\nconnect = " + testpeer.Serve(t, testpeer.Echo) +
		"\ncert = server.pem\nkey = .\\server.pem\n"

	w.tests("../../host/socket")
	w.tests("../../host/fault")
	w.tests("../../host/program")
	// Not what resets connections: wine ends them.
	w.tests("../../host/relay", "-test.run", "^Test(Idle|HalfClose|Large|Stop|Timeout|BytesBefore)")
	w.tests("../../host/logging", "-test.run=^TestEventText$")
	w.tests("../../host/daemon", "-test.run=^TestOutliveUsers$")
	w.sample()

	for arg, want := range map[string]string{
		"-help": `-install \| -uninstall[\s\S]*taskbar  `, "/VERSION": "^stunnel .* on amd64-windows platform",
		"-sockets": `SO_EXCLUSIVEADDRUSE +\| +yes\|[\s\S]*TCP_NODELAY +\| +-- +\| +yes\| +yes\| +no`, "-options": "NO_SSLv3",
	} {
		w.run(0, want, arg)
	}

	w.write(conf)
	w.run(0, `stunnel.conf:3: note: taskbar has no effect[\s\S]*x +server[\s\S]*Configuration successful`, "check")
	w.run(0, "Configuration successful", "check", windowsPath(filepath.Join(w.config, "stunnel.conf")))
	w.write("chroot = C:\\x\nforeground = yes\n" + conf)
	w.run(1, `:1: "chroot = C:\\x": Specified option name is not valid here\.?\s+remove the line: chroot exists on Unix alone`, "check")
	w.run(1, `:2: "foreground = yes": Specified option name is not valid here`, "check")
	w.run(1, "-service is for Windows' service control manager", "-service")

	// In a console.
	w.write(conf)
	p := testpeer.RunCommand(t, w.command(wineDir+"/wine64", w.exe))
	p.WaitLine(`LOG6\[ui\]: Accepting new connections`)
	w.serves(addr)
	p.Signal(os.Interrupt) // which wine makes a Ctrl-C of
	p.WaitLine("Received SIGINT; terminating")
	if status := p.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}

	// As a service.
	w.write(conf)
	w.run(1, "the service stunnel is not installed", "-start")
	w.run(0, "^Service installed", "-install")
	w.run(1, "exists already", "-install")
	w.run(1, "already stopped", "-reload")
	w.run(0, "^Service started", "/Start")
	w.serves(addr)
	w.system.WaitLine(`trace:eventlog:ReportEventW L"LOG5\[0\]: Service \[x\] accepted connection`)
	w.run(1, "the service is still running", "-uninstall")

	w.write(strings.Replace(conf, "[x]", "[y]", 1))
	w.run(0, "reload its configuration", "-reload")
	w.system.WaitLine(`LOG6\[ui\]: Initializing service \[y\]`)
	w.system.WaitLines(`LOG5\[ui\]: Configuration successful`, 2)
	w.serves(addr)
	w.system.WaitLine(`LOG5\[\d\]: Service \[y\] accepted connection`)

	// Every address of the port takes the place of one: the system refuses it until the old
	// listener is closed, by another number than Unix.
	_, port, _ := strings.Cut(addr, ":")
	w.write(strings.Replace(conf, addr, port, 1))
	w.run(0, "reload its configuration", "-reload")
	w.system.WaitLine(`LOG6\[ui\]: Service \[x\] \(FD=\d+\) bound to 0\.0\.0\.0:` + port)
	w.serves(addr)

	// Renamed by a program of Windows, which may not do that to every file that is open.
	log := filepath.Join(w.config, "stunnel.log")
	w.must(w.command(wineDir+"/wine64", "cmd", "/c", "ren", windowsPath(log), "stunnel.log.1"))
	w.run(0, "reopen its log file", "-reopen")
	testpeer.WaitFile(t, log, "Log file reopened")

	w.write("bogus = 1\n")
	w.run(0, "reload its configuration", "-reload")
	w.system.WaitLine(`err:eventlog:ReportEventW L"LOG3\[ui\]: Failed to reload the configuration file`)
	w.serves(addr) // as before
	w.run(0, "^Service stopped", "-stop", "x.conf")
	w.run(1, "already stopped", "-stop")
	testpeer.WaitFile(t, log, `LOG5\[ui\]: Terminated`)

	w.failsToStart()
	w.system.WaitLine(`err:eventlog:ReportEventW L"\[\.\] stunnel `)
	w.write(conf)
	w.run(0, "^$", "-start", "-quiet")
	w.run(0, "^Service stopped", "-exit")
	w.run(0, "^Service uninstalled", "-uninstall")
	w.run(1, "is not installed", "-uninstall")
}
