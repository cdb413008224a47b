package manual

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/daemon"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// TestExamplesCheck has the daemon's check build the services of each example, with real
// files where one names files. Those with tokens are left to the tests of tokens.
func TestExamplesCheck(t *testing.T) {
	t.Parallel()
	places := examplePlaces(t)
	checked := 0
	for _, theme := range themes(t) {
		for _, e := range theme.Entries {
			o := e.Option
			if o.Status == config.Refused || !o.On(runtime.GOOS) || regexp.MustCompile(`(?m)^(engine|provider) = `).MatchString(e.Example) {
				continue
			}
			checked++
			t.Run(o.Name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "stunnel.conf")
				if err := os.WriteFile(file, []byte(places.Replace(whole(e))), 0o600); err != nil {
					t.Fatal(err)
				}
				var out strings.Builder
				if status := daemon.Check(&daemon.Source{Path: file}, &out, &out); status != 0 {
					t.Errorf("check says\n%s", &out)
				}
			})
		}
	}
	if checked < 90 {
		t.Errorf("%d examples", checked)
	}
}

// examplePlaces makes what the examples name, and gives what their paths become. Names of
// hosts become addresses: nobody's name server is asked.
func examplePlaces(t *testing.T) *strings.Replacer {
	t.Helper()
	certs := testpeer.Certs(t)
	dir := t.TempDir()
	put := func(name string, text []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	read := func(path string) []byte {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	server, root := read(certs.Server), read(certs.Root)
	for _, name := range []string{"server.pem", "server.key", "shop.pem"} {
		put(name, server)
	}
	for _, name := range []string{"ca.pem", "peers.pem", "authorities/root.pem", "authorities/00000000.0"} {
		put(name, root)
	}
	put("crl.pem", read(certs.Revoke(t, "crl.pem", time.Now().Add(time.Hour))))
	put("crls/00000000.r0", read(certs.Revoke(t, "crl.pem", time.Now().Add(time.Hour))))
	put("psk.txt", []byte("alice:00112233445566778899aabbccddeeff\n"))
	passphrase := put("passphrase", []byte("secret\n"))
	put("conf.d/more.conf", []byte("[more]\nclient = yes\naccept = 127.0.0.1:4434\nconnect = 127.0.0.1:8080\n"))
	guest, _ := stdproto.Lookup("imap")
	put("guests/odd.wasm", guest)
	return strings.NewReplacer(
		"/etc/ssl/certs/ca-certificates.crt", filepath.Join(dir, "ca.pem"),
		"/etc/ssl/certs", filepath.Join(dir, "authorities"),
		"/etc/stunnel", dir,
		"/var/cache/stunnel-wasm", filepath.Join(dir, "cache"),
		"/run/credentials/stunnel.service/passphrase", passphrase,
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", fmt.Sprintf("sha256:%x", sha256.Sum256(guest)),
		"connect = mail.example.net", "connect = 192.0.2.1", "connect = server.example.net", "connect = 192.0.2.1",
		"connect = proxy.example.net", "connect = 192.0.2.1", "connect = dynamic.example.net", "connect = 192.0.2.1",
		"connect = one.example.net", "connect = 192.0.2.1", "connect = two.example.net", "connect = 192.0.2.2",
	)
}
