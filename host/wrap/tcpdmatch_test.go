package wrap

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// words are what random rules are made of.
var (
	daemons = []string{"ALL", "pop", "imap", "p*", "?op", "im.", "other", "pop@127.0.0.1", "pop@127.0.0.0/8", "ALL@ALL", "EXCEPT", "EXCEPT", "POP"}
	clients = []string{
		"ALL", "LOCAL", "KNOWN", "UNKNOWN", "PARANOID", "EXCEPT", "EXCEPT", "localhost", "LOCALHOST", "local*", ".host", "loc", "loc.",
		"127.", "127.0.0.1", "127.0.0.0/8", "127.0.0.1/8", "127.0.0.0/255.0.0.0", "10.0.0.0/255.0.255.0", "10.1.0.0/16", "10.1.", "10.1.2.3", "10.*", "?0.1.2.3",
		"10.1.2.3/32", "0.0.0.0/0", "10.1.2.3/33", "10.1.2.3/x", "[::1]", "[::1]/128", "[::]/0", "[fe80::]/10", "[fe80::1%0]", "[::]/129", "::1", "fe80::1", "fe80*",
		"me@localhost", "ALL@127.0.0.1", "you@ALL", "me@10.1.2.3", "KNOWN@ALL", "/LIST", "/nowhere", "/LIST2", "@group", "", "a/b", "[127.0.0.1]", "255.255.255.255",
	}
	options = []string{"", "", "", "", ": allow", ": deny", ": ALLOW", ": allow : deny", ": severity auth.info", ": severity auth.info : deny", ": foo", ":", ": deny yes", ": umask 22 : allow"}
)

func randomRules(r *rand.Rand, list string) string {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	var text strings.Builder
	for range r.IntN(4) {
		some := func(from []string) string {
			var all []string
			for range 1 + r.IntN(3) {
				all = append(all, pick(from))
			}
			return strings.Join(all, pick([]string{" ", ",", ", ", "\t"}))
		}
		line := some(daemons) + pick([]string{":", " : ", " :"}) + some(clients) + pick(options)
		switch r.IntN(20) {
		case 0:
			line = "# " + line
		case 1:
			line = strings.Replace(line, " ", " \\\n", 1)
		case 2:
			line = "no colon"
		case 3:
			line = " " + line
		}
		text.WriteString(strings.ReplaceAll(line, "/LIST", list) + "\n")
	}
	return text.String()
}

// TestTcpdmatch has TCP wrappers' own tool judge random rules and compares.
func TestTcpdmatch(t *testing.T) {
	tool := testpeer.Need(t, "tcpdmatch", "tcpd")
	dir := t.TempDir()
	list := filepath.Join(dir, "list")
	if err := os.WriteFile(list, []byte("10.1.2.3 .host\n127.0.0.0/8\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list+"2", []byte("ALL EXCEPT 10.1.2.3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	allow, deny := filepath.Join(dir, "hosts.allow"), filepath.Join(dir, "hosts.deny")
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	const rounds = 500
	for range rounds {
		files := map[string]string{allow: randomRules(r, list), deny: randomRules(r, list)}
		for path, text := range files {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		client := []string{"127.0.0.1", "10.1.2.3", "10.9.8.7", "::1", "fe80::1", "fe80::1%lo", "localhost"}[r.IntN(7)]
		q := &Request{Daemon: []string{"pop", "imap"}[r.IntN(2)], Name: unknown}
		args := []string{"-d", q.Daemon, client}
		if r.IntN(2) == 0 {
			q.Server, args[1] = netip.MustParseAddr("127.0.0.1"), q.Daemon+"@127.0.0.1"
		}
		if r.IntN(2) == 0 {
			q.user, args[2] = "me", "me@"+client
		}
		if client == "localhost" {
			client, q.Name = "127.0.0.1", "localhost"
		}
		q.Client = netip.MustParseAddr(client)
		cmd := exec.Command(tool, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		got := NewTable(allow, deny).Check(t.Context(), q)
		word := map[bool]string{true: "granted", false: "denied"}[got.Allowed]
		if !got.Allowed {
			refused++
		}
		if !strings.Contains(string(out), "access:   "+word) {
			t.Errorf("%v: %s by %s; tcpdmatch says\n%s%s", args, word, got.Rule, out, show(files))
		}
	}
	if refused < rounds/10 || refused > rounds*9/10 {
		t.Errorf("%d of %d are refused: the rules tell little", refused, rounds)
	}
}

func show(files map[string]string) string {
	var all strings.Builder
	for path, text := range files {
		fmt.Fprintf(&all, "-- %s --\n%s", filepath.Base(path), text)
	}
	return all.String()
}
