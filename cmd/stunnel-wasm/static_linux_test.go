package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestStaticBuild builds the program without cgo: it needs no library and no loader,
// serves as the other does, and refuses what needs a PKCS#11 module.
func TestStaticBuild(t *testing.T) {
	t.Parallel()
	testpeer.Need(t, "go", "golang-go")
	binary := filepath.Join(t.TempDir(), "stunnel-wasm")
	cmd := exec.Command("go", "build", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program has a segment %v", p.Type)
		}
	}
	certs := testpeer.Certs(t)
	service := "[s]\naccept = 127.0.0.1:0\nconnect = " + testpeer.Serve(t, testpeer.Echo) + "\n"
	c := sClient(t, testpeer.Start(t, binary, service+"cert = "+certs.Server+"\n"), "s")
	say(t, c, "hello")
	c.Stdin.Close()
	c.Wait()
	for _, conf := range []string{
		"engine = pkcs11\n" + service + "cert = " + certs.Server + "\n",
		"provider = pkcs11\n" + service + "cert = " + certs.Server + "\n",
		service + "cert = pkcs11:token=x\n",
		service + "cert = " + certs.Server + "\nkey = pkcs11:token=x\n",
		service + "cert = " + certs.Server + "\nverifyChain = yes\nCAstore = pkcs11:token=x\n",
	} {
		d := testpeer.Launch(t, binary, conf)
		d.WaitLine(`:\d+: ".*pkcs11.*": .*static build without cgo, and cannot load PKCS#11 modules; build it with CGO_ENABLED=1$`)
		if status := d.Wait(); status != 1 {
			t.Errorf("exit status %d", status)
		}
	}
}
