package main

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestNamesMove has names change under us and under stunnel: one that was known at the start
// stays what it was, unless delay = yes; one that was not is looked up until it is.
func TestNamesMove(t *testing.T) {
	t.Parallel()
	testpeer.NeedRoot(t, "a mount namespace")
	unshare := testpeer.Need(t, "unshare", "util-linux")
	for _, program := range []string{self(t), testpeer.Need(t, "stunnel4", "stunnel4")} {
		t.Run(filepath.Base(program), func(t *testing.T) {
			t.Parallel()
			two, err := net.Listen("tcp", "127.0.0.2:0")
			if err != nil {
				t.Fatal(err)
			}
			testpeer.ServeOn(t, two, testpeer.Say("two"))
			_, port, _ := net.SplitHostPort(two.Addr().String())
			three, err := net.Listen("tcp", "127.0.0.3:"+port)
			if err != nil {
				t.Fatal(err)
			}
			testpeer.ServeOn(t, three, testpeer.Say("three"))

			dir := t.TempDir()
			write := func(name, text string) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return path
			}
			hosts := write("hosts", "127.0.0.2 target.test\n")
			files := write("nsswitch.conf", "hosts: files\n")
			d := testpeer.Prepare(t, strings.ReplaceAll(`cert = `+testpeer.Certs(t).Server+`
[fixed]
accept = 127.0.0.1:0
connect = target.test:PORT
[moving]
accept = 127.0.0.1:0
connect = target.test:PORT
delay = yes
[late]
accept = 127.0.0.1:0
connect = late.test:PORT
`, "PORT", port))
			d.Begin(t, exec.Command(unshare, "-m", "sh", "-c", `mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/nsswitch.conf && exec "$2" "$3"`,
				hosts, files, program, d.Config))
			d.WaitLine(`: Accepting new connections$`)
			d.WaitLine(`LOG3\[ui\]: Error resolving "late\.test": `)
			d.WaitLine(`LOG6\[ui\]: Cannot resolve connect target - delaying DNS lookup$`)
			leadsTo(t, d.Addr("fixed"), "two")
			leadsTo(t, d.Addr("moving"), "two")
			if got := received(t, d.Addr("late")); got != "" {
				t.Errorf("the unknown name leads to %q", got)
			}
			d.WaitLine(`LOG3\[2\]: No remote host resolved$`)

			write("hosts", "127.0.0.3 target.test late.test\n")
			// Go's resolver looks at the file every five seconds.
			tick, late := time.NewTicker(100*time.Millisecond), time.After(testpeer.Patience)
			defer tick.Stop()
			for received(t, d.Addr("late")) != "three" {
				select {
				case <-tick.C:
				case <-late:
					t.Fatal("the name stays unknown")
				}
			}
			leadsTo(t, d.Addr("moving"), "three")
			leadsTo(t, d.Addr("fixed"), "two")
		})
	}
}

// received is all that a service sends until it ends or resets the connection.
func received(t *testing.T, addr string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return ""
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	text, _ := io.ReadAll(c)
	return string(text)
}
