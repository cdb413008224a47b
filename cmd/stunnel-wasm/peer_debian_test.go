//go:build cgo && linux

package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// debianSample is the configuration that Debian's stunnel4 package ships for people to
// begin with.
const debianSample = "/usr/share/doc/stunnel4/examples/stunnel.conf-sample"

// sampleKey is the pre-shared key of the sample's remote shell.
const sampleKey = "00112233445566778899aabbccddeeff"

// TestDebianSample checks the file as it is, and with everything in it that stands in
// comments to be taken out of them; this one is started too. Nothing is changed but
// paths, and for the start ports.
func TestDebianSample(t *testing.T) {
	t.Parallel()
	testpeer.NeedFile(t, debianSample, "stunnel4")
	shipped, err := os.ReadFile(debianSample)
	if err != nil {
		t.Fatal(err)
	}
	places, env := debianPlaces(t)
	text := places.Replace(string(shipped))
	if n := checkFile(t, env, text); n < 3 {
		t.Errorf("%d services as shipped", n)
	}
	whole := uncomment(text)
	if n := checkFile(t, env, whole); n < 11 {
		t.Errorf("%d services with all that is in comments", n)
	}

	backend := testpeer.Serve(t, testpeer.Echo)
	file := filepath.Join(t.TempDir(), "stunnel.conf")
	started := regexp.MustCompile(`(?m)^accept *= .*$`).ReplaceAllString(whole, "accept = 127.0.0.1:0")
	started = strings.Replace(started, "\nconnect = 80\n", "\nconnect = "+backend+"\n", 1)
	started = strings.Replace(started, "\ndebug = info\n", "\ndebug = debug\n", 1)
	if err := os.WriteFile(file, []byte(started), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self(t), file)
	command.Env = append(os.Environ(), env...)
	d := testpeer.RunCommand(t, command)
	d.WaitLine(`: Accepting new connections$`)
	c, err := tls.Dial("tcp", d.WaitLine(`Service \[https\] \(FD=\d+\) bound to (.*)$`), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const said = "through the sample\n"
	heard := make([]byte, len(said))
	if _, err := io.WriteString(c, said); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, heard); err != nil || string(heard) != said {
		t.Errorf("%q came back: %v", heard, err)
	}

	shell := exec.Command(testpeer.Need(t, "openssl", "openssl"), "s_client", "-quiet", "-psk_identity", "alice", "-psk", sampleKey,
		"-connect", d.WaitLine(`Service \[shell\] \(FD=\d+\) bound to (.*)$`))
	shell.Stdin = strings.NewReader("echo six times seven is $((6*7))\nexit\n")
	out, err := testpeer.CombinedOutput(t, shell)
	if err != nil || !strings.Contains(string(out), "six times seven is 42") {
		t.Errorf("the shell says %q: %v", out, err)
	}
}

// debianPlaces makes what the sample names, and gives what its paths become and the
// environment that the token's module needs.
func debianPlaces(t *testing.T) (*strings.Replacer, []string) {
	t.Helper()
	certs := testpeer.Certs(t)
	h := testpeer.NewSoftHSM(t)
	const pin = "1234"
	h.Token("MyToken", pin)
	key, cert := h.Key("example", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
	h.Import("MyToken", pin, key, "MyKey", "01", true)
	h.Certificate("MyToken", pin, cert, "MyCert", "01")

	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	included := put("conf.d/more.conf", "[included]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n")
	root, err := os.ReadFile(certs.Root)
	if err != nil {
		t.Fatal(err)
	}
	authorities := filepath.Dir(put("authorities/root.pem", string(root)))
	if out, err := exec.Command(testpeer.Need(t, "openssl", "openssl"), "rehash", authorities).CombinedOutput(); err != nil {
		t.Fatalf("openssl rehash: %v\n%s", err, out)
	}
	secrets := put("secrets.txt", "alice:"+sampleKey+"\n")
	// The pid file and the log are made by the user that the sample has it run as.
	own := filepath.Dir(put("run/stunnel.log", ""))
	if u, err := user.Lookup("stunnel4"); err == nil && os.Geteuid() == 0 {
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		// The test's own directory is nobody else's to pass through.
		if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{own, filepath.Join(own, "stunnel.log")} {
			if err := os.Chown(path, uid, gid); err != nil {
				t.Fatal(err)
			}
		}
	}
	return strings.NewReplacer(
		"/etc/ssl/certs\n", authorities+"\n",
		"/etc/stunnel/stunnel.pem", certs.Server,
		"/etc/stunnel/secrets.txt", secrets,
		"/etc/stunnel/conf.d", filepath.Dir(included),
		"/var/run/stunnel.pid", filepath.Join(own, "stunnel.pid"),
		"/var/log/stunnel.log", filepath.Join(own, "stunnel.log"),
		"/usr/lib/softhsm/libsofthsm2.so", h.Module,
	), h.Env
}

var commented = regexp.MustCompile(`(?m)^;(\[.*\]|[A-Za-z]+ *= .*)$`)

// uncomment takes options and sections out of their comments.
func uncomment(text string) string {
	return commented.ReplaceAllString(strings.ReplaceAll(text, "\r", ""), "$1")
}

// checkFile has the command check a file, which must be valid, and counts its services.
func checkFile(t *testing.T, env []string, text string) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stunnel.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self(t), "check", file)
	command.Env = append(os.Environ(), env...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	_, table, _ := bytes.Cut(out, []byte("SERVICE "))
	return bytes.Count(table, []byte("\n")) - 2
}
