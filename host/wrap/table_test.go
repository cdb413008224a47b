package wrap

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// TestRemovedPermission removes hosts.allow: what it permitted is refused, except in a jail,
// where it is only out of sight. What hosts.deny refuses stays refused in both.
func TestRemovedPermission(t *testing.T) {
	for _, jail := range []bool{false, true} {
		dir := t.TempDir()
		allow, deny := filepath.Join(dir, "allow"), filepath.Join(dir, "deny")
		for path, text := range map[string]string{allow: "ALL: 10.1.2.3\n", deny: "ALL: ALL\n"} {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		table := NewTable(allow, deny)
		if jail {
			table.root, _ = os.Stat(dir) // what was the root is not any more
		}
		allowed := func(client string) bool {
			r := &Request{Daemon: "pop", Client: netip.MustParseAddr(client), Name: unknown}
			return table.Check(t.Context(), r).Allowed
		}
		if !allowed("10.1.2.3") || allowed("10.1.2.4") {
			t.Fatal("the rules do not hold")
		}
		for _, path := range []string{allow, deny} {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if allowed("10.1.2.3") != jail || allowed("10.1.2.4") {
				t.Errorf("in a jail %t: %s is gone, and 10.1.2.3 permitted: %t, 10.1.2.4: %t", jail, path, allowed("10.1.2.3"), allowed("10.1.2.4"))
			}
		}
		if err := os.WriteFile(allow, []byte("ALL: 10.1.2.4\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if allowed("10.1.2.3") || !allowed("10.1.2.4") {
			t.Errorf("in a jail %t: a new file does not count", jail)
		}
	}
}

// TestListsOutliveTheirFiles has a list of refused clients out of sight, as in a jail, and
// then something in its place that is no list.
func TestListsOutliveTheirFiles(t *testing.T) {
	dir := t.TempDir()
	allow, deny, list := filepath.Join(dir, "allow"), filepath.Join(dir, "deny"), filepath.Join(dir, "list")
	for path, text := range map[string]string{deny: "pop@" + list + ": ALL\nimap: ALL EXCEPT " + list + "\nALL: me@" + list + "\n", list: "10.1.2.3\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table := NewTable(allow, deny)
	allowed := func(daemon, client, user string) bool {
		r := &Request{Daemon: daemon, Client: netip.MustParseAddr(client), Server: netip.MustParseAddr(client), Name: unknown, server: unknown, user: user}
		return table.Check(t.Context(), r).Allowed
	}
	check := func(when string) {
		t.Helper()
		for _, c := range []struct {
			daemon, client, user string
			want                 bool
		}{
			{"pop", "10.1.2.3", "you", false},
			{"pop", "10.1.2.4", "you", true},
			{"imap", "10.1.2.3", "you", true},
			{"imap", "10.1.2.4", "you", false},
			{"x", "10.1.2.3", "me", false},
			{"x", "10.1.2.4", "me", true},
		} {
			if got := allowed(c.daemon, c.client, c.user); got != c.want {
				t.Errorf("%s: %v: %v", when, c, got)
			}
		}
	}
	check("at first")
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	check("out of sight")
	if err := os.Mkdir(list, 0o755); err != nil {
		t.Fatal(err)
	}
	if allowed("pop", "10.1.2.4", "you") || allowed("imap", "10.1.2.3", "you") {
		t.Error("what may be in a list that cannot be read is let in")
	}
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, []byte("10.1.2.4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !allowed("pop", "10.1.2.3", "you") || allowed("pop", "10.1.2.4", "you") {
		t.Error("a new list does not count")
	}
}
