package testpeer

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// SoftHSM's module, under the path that its package keeps on all architectures.
const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// A SoftHSM is a directory of tokens in software, made by softhsm2-util. Who uses the
// module needs Env in its environment before it initialises the module.
type SoftHSM struct {
	Dir    string
	Module string   // to be loaded
	Env    []string // SOFTHSM2_CONF, and FAULT_DIR once there is a Fault
	Fault  string   // directory that steers Module; empty: Module is SoftHSM itself

	t testing.TB
}

// NewSoftHSM makes an empty one in a directory of the test's.
func NewSoftHSM(t testing.TB) *SoftHSM {
	t.Helper()
	return SoftHSMIn(t, t.TempDir())
}

// SoftHSMIn makes one in a directory that outlives the test.
func SoftHSMIn(t testing.TB, dir string) *SoftHSM {
	t.Helper()
	NeedFile(t, softHSM, "softhsm2")
	h := &SoftHSM{Dir: dir, Module: softHSM, t: t}
	tokens, conf := filepath.Join(dir, "tokens"), filepath.Join(dir, "softhsm2.conf")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	text := "directories.tokendir = " + tokens + "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.Env = []string{"SOFTHSM2_CONF=" + conf}
	return h
}

// Token makes a token with a PIN.
func (h *SoftHSM) Token(label, pin string) {
	h.t.Helper()
	h.run("softhsm2-util", "softhsm2", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", pin)
}

// Import puts a key in PKCS #8 into a token, with its public half or without it.
func (h *SoftHSM) Import(token, pin, keyFile, label, id string, public bool) {
	h.t.Helper()
	args := []string{"--import", keyFile, "--token", token, "--label", label, "--id", id, "--pin", pin}
	if !public {
		args = append(args, "--no-public-key")
	}
	h.run("softhsm2-util", "softhsm2", args...)
}

// Certificate puts the first certificate of a PEM file into a token.
func (h *SoftHSM) Certificate(token, pin, file, label, id string) {
	h.t.Helper()
	h.P11tool(token, pin, "--write", "--load-certificate", file, "--label", label, "--id", id)
}

// P11tool runs GnuTLS's tool on a token, logged in.
func (h *SoftHSM) P11tool(token, pin string, args ...string) {
	h.t.Helper()
	args = append([]string{"--provider", softHSM, "--login", "--set-pin=" + pin, "--batch"}, args...)
	h.run("p11tool", "gnutls-bin", append(args, "pkcs11:token="+token)...)
}

func (h *SoftHSM) run(program, debianPackage string, args ...string) {
	h.t.Helper()
	cmd := exec.Command(Need(h.t, program, debianPackage), args...)
	cmd.Env = append(os.Environ(), h.Env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

//go:embed fault/fault.c.txt
var faultSource []byte

// Break puts a module in front of SoftHSM's that Do has misbehave.
func (h *SoftHSM) Break() *SoftHSM {
	h.t.Helper()
	gcc := Need(h.t, "gcc", "gcc")
	headers, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/miekg/pkcs11").Output()
	if err != nil {
		h.t.Fatalf("finding pkcs11.h: %v", err)
	}
	h.Module, h.Fault = filepath.Join(h.Dir, "fault.so"), filepath.Join(h.Dir, "fault")
	if err := os.Mkdir(h.Fault, 0o700); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(gcc, "-x", "c", "-shared", "-fPIC", "-O1", "-I", strings.TrimSpace(string(headers)), "-o", h.Module, "-", "-ldl", "-lpthread")
	cmd.Stdin = strings.NewReader(string(faultSource))
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("compiling the faulty module: %v\n%s", err, out)
	}
	h.Env = append(h.Env, "FAULT_DIR="+h.Fault)
	return h
}

// Do has the module of Break do something; see fault.c.txt for what there is.
func (h *SoftHSM) Do(t testing.TB, what, value string) {
	t.Helper()
	// Whole at once: the module reads it as soon as it is there.
	tmp := filepath.Join(h.Dir, "."+what)
	if err := os.WriteFile(tmp, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(h.Fault, what)); err != nil {
		t.Fatal(err)
	}
}

// Undo ends what Do began.
func (h *SoftHSM) Undo(what string) { os.Remove(filepath.Join(h.Fault, what)) }

// Pending tells whether something that happens once is still to happen.
func (h *SoftHSM) Pending(what string) bool {
	_, err := os.Stat(filepath.Join(h.Fault, what))
	return err == nil
}

// Calls says how often the module was initialised ("initialized") or logged in ("logins").
func (h *SoftHSM) Calls(what string) int {
	fi, err := os.Stat(filepath.Join(h.Fault, what))
	if err != nil {
		return 0
	}
	return int(fi.Size())
}

// Key makes a private key in PKCS #8 by openssl genpkey's arguments, and its self-signed
// certificate for localhost. The files have no key in common with each other.
func (h *SoftHSM) Key(name string, genpkey ...string) (key, cert string) {
	h.t.Helper()
	key, cert = filepath.Join(h.Dir, name+".key"), filepath.Join(h.Dir, name+".pem")
	h.run("openssl", "openssl", append([]string{"genpkey", "-out", key}, genpkey...)...)
	h.run("openssl", "openssl", "req", "-x509", "-key", key, "-subj", "/CN="+name, "-addext",
		"subjectAltName=DNS:localhost", "-days", "2", "-out", cert)
	return key, cert
}

// Config is what a configuration says to use the module.
func (h *SoftHSM) Config(pin string) string {
	return fmt.Sprintf("engine = pkcs11\nengineCtrl = MODULE_PATH:%s\nengineCtrl = PIN:%s\n", h.Module, pin)
}
