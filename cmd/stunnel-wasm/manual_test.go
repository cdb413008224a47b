package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestManual types what docs/guests.md prints, as somebody does who begins a guest in Rust:
// all its commands in a new folder, the config, and a line from end to end.
func TestManual(t *testing.T) {
	t.Parallel()
	testpeer.Need(t, "wasm-ld", "lld")
	testpeer.NeedFile(t, "/usr/bin/rustc", "rustc")
	testpeer.NeedFile(t, "/usr/lib/rustlib/wasm32-unknown-unknown", "libstd-rust-dev-wasm32")
	text, err := os.ReadFile("../../docs/guests.md")
	if err != nil {
		t.Fatal(err)
	}
	// Its ports may be somebody's.
	port := map[string]string{}
	for _, p := range []string{"9000", "9001", "9002"} {
		port[p] = testpeer.FreePort(t)
	}
	manual := strings.NewReplacer(
		"9000", port["9000"], "9001", port["9001"], "9002", port["9002"],
		"/etc/stunnel/guests", "odd", "/etc/stunnel/server.pem", testpeer.Certs(t).Server,
	).Replace(string(text))

	dir := t.TempDir()
	if err := os.Symlink(self(t), filepath.Join(dir, "stunnel-wasm")); err != nil {
		t.Fatal(err)
	}
	command := func(line string) *exec.Cmd {
		words := strings.Fields(line)
		if words[0] == "stunnel-wasm" {
			words[0] = self(t)
		}
		c := exec.Command(words[0], words[1:]...)
		c.Dir, c.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		return c
	}
	typed := 0
	for line := range strings.Lines(manual) {
		line, ok := strings.CutPrefix(line, "    ")
		if !ok || !strings.HasPrefix(line, "stunnel-wasm ") && !strings.HasPrefix(line, "make ") ||
			strings.Contains(line, "--lang go") || strings.Contains(line, "--lang c") {
			continue
		}
		typed++
		if strings.HasPrefix(line, "stunnel-wasm guest run ") {
			testpeer.RunCommand(t, command(line)).WaitLine(`Accepting new connections$`)
			continue
		}
		if text, err := command(line).CombinedOutput(); err != nil {
			t.Fatalf("%s%v\n%s", line, err, text)
		}
	}
	if typed < 7 {
		t.Errorf("docs/guests.md has %d commands", typed)
	}

	backend, err := net.Listen("tcp", "127.0.0.1:"+port["9001"])
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, backend, testpeer.Echo)
	c, err := net.Dial("tcp", "127.0.0.1:"+port["9002"])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const said = "through both guests\n"
	if _, err := c.Write([]byte(said)); err != nil {
		t.Fatal(err)
	}
	if heard, err := bufio.NewReader(c).ReadString('\n'); heard != said {
		t.Errorf("%q came back as %q: %v", said, heard, err)
	}

	_, conf, _ := strings.Cut(manual, "```ini\n")
	conf, _, _ = strings.Cut(conf, "```\n")
	if err := os.WriteFile(filepath.Join(dir, "stunnel.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := command("stunnel-wasm check stunnel.conf").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
