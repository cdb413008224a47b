package sandbox

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// load reads a configuration.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.LoadReader("0", strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c
}

// of gives the needs of a configuration whose own file is /conf/stunnel.conf.
func of(t *testing.T, text string) Needs {
	t.Helper()
	return Need(load(t, text), "/conf/stunnel.conf")
}

const service = "[a]\naccept = 4711\nconnect = 1\nclient = yes\n"

// TestEveryFile goes through the table of options: each that names a file or a directory
// is thought of.
func TestEveryFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("paths of Unix")
		return
	}
	// What has no file of ours: programs and windows; a root directory has all.
	other := []string{"exec", "chroot", "include", "EGD", "RNDfile", "iconActive", "iconError", "iconIdle"}
	with := map[string]string{"CAfile": "verifyChain = yes\n", "CApath": "verifyChain = yes\n", "CAstore": "verifyChain = yes\n",
		"CRLfile": "verifyChain = yes\nCAfile = /x\n", "CRLpath": "verifyChain = yes\nCAfile = /x\n", "key": "cert = /x\n",
		"keyPassphraseFile": "cert = /x\n"}
	seen := 0
	for _, o := range config.Options {
		if !strings.Contains(o.Form, "file") && !strings.Contains(o.Form, "directory") && !strings.Contains(o.Form, "path") && o.Name != "CAstore" ||
			slices.Contains(other, o.Name) {
			continue
		}
		seen++
		line := o.Name + " = /probe/here.wasm\n"
		text := service + with[o.Name] + line
		if o.Scope == config.GlobalScope {
			text = line + service
		}
		n := of(t, text)
		if all := slices.Concat(n.Read, n.Write); !slices.Contains(all, "/probe") && !slices.Contains(all, "/probe/here.wasm") {
			t.Errorf("%s: nothing of it in %q", o.Name, all)
		}
	}
	if seen < 12 {
		t.Errorf("only %d options were tried", seen)
	}
}

func TestNeeds(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "archive", "key.pem")
	link := filepath.Join(dir, "live.pem")
	for _, err := range []error{os.Mkdir(filepath.Dir(real), 0o700), os.WriteFile(real, nil, 0o600), os.Symlink(real, link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	n := of(t, "output = /var/log/stunnel.log\n"+service+"cert = "+link+"\n[b]\naccept = 0\naccept = /run/b/socket\nclient = yes\nconnect = 2\n")
	for _, want := range []string{"/conf", resolved(dir), resolved(filepath.Dir(real)), "/etc"} {
		if !slices.Contains(n.Read, want) {
			t.Errorf("%s is not among %q", want, n.Read)
		}
	}
	for _, want := range []string{"/var/log", "/run/b"} {
		if !slices.Contains(n.Write, want) {
			t.Errorf("%s is not among %q", want, n.Write)
		}
	}
	if !slices.Equal(n.Ports, []int{0, 4711}) || n.Free != "" || n.All {
		t.Errorf("%+v", n)
	}
	if jail := of(t, "chroot = /jail\noutput = /log/a\n"+service); !slices.Equal(jail.Read, []string{"/jail"}) || !slices.Equal(jail.Write, []string{"/jail/log"}) {
		t.Errorf("in a jail: %+v", jail)
	}
	if token := of(t, "engine = pkcs11\n"+service); token.Free == "" {
		t.Error("files of a token's module are known")
	}
	for line, want := range map[string]string{
		"":                                  "dac_override,dac_read_search,net_bind_service",
		"socket = r:TCP_NODELAY = yes\n":    "dac_override,dac_read_search,net_bind_service",
		"accept = /run/s\nsetuid = 1\n":     "chown,dac_override,dac_read_search,net_bind_service",
		"socket = r:IP_TRANSPARENT = yes\n": "dac_override,dac_read_search,net_admin,net_bind_service,net_raw",
	} {
		if got := strings.Join(of(t, service+strings.ReplaceAll(line, " = yes", "=yes")).Capabilities, ","); got != want {
			t.Errorf("%q needs %s, want %s", line, got, want)
		}
	}
}

func TestPermits(t *testing.T) {
	start := of(t, "output = /var/log/stunnel.log\n"+service+"cert = /keys/a.pem\n")
	all := &Entered{NoNewPrivs: true, Capabilities: true, Landlock: true, needs: start}
	for text, want := range map[string]string{
		service:                                           "",
		service + "cert = /keys/sub/b.pem\n":              "",
		service + "cert = /etc/other.pem\n":               "",
		service + "cert = /other/b.pem\n":                 "sandbox: /other cannot be read since the start: restart for that",
		"output = /var/spool/x\n" + service:               "sandbox: /var/spool cannot be written to since the start: restart for that",
		service + "accept = 4712\n":                       "sandbox: port 4712 cannot be bound since the start: restart for that",
		service + "socket = r:SO_MARK=1\n":                "sandbox: capability cap_net_admin is gone since the start: restart for that",
		"engine = pkcs11\n" + service:                     "sandbox: landlock holds, and the modules of tokens may need any file since the start: restart for that",
		strings.Replace(service, "4711", "0", 1) + "\n\n": "",
	} {
		n := of(t, text)
		got := ""
		if err := all.Permits(n); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		for _, e := range []*Entered{nil, {NoNewPrivs: true, needs: start}} {
			if err := e.Permits(n); err != nil {
				t.Errorf("%q with %+v: %v", text, e, err)
			}
		}
	}
}
