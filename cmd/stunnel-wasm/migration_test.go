package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestMigration has the command say of the old file in docs/migration.md what is printed
// there.
func TestMigration(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/migration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "For a file `old.conf`\n")
	old, text, _ := strings.Cut(text, "\nit says\n")
	failed, text, _ := strings.Cut(text, "\nand once that line is gone\n")
	passed, _, ok := strings.Cut(text, "\nThere are three kinds")
	if !ok {
		t.Fatal("docs/migration.md has no example")
	}
	dir := t.TempDir()
	pem, err := os.ReadFile(testpeer.Certs(t).Server)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "server.pem"), pem, 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(conf, want string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "old.conf"), []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(self(t), "check", "old.conf")
		command.Dir = dir
		out, _ := command.CombinedOutput()
		got := strings.ReplaceAll(string(out), dir+"/", "")
		got = regexp.MustCompile(`until \d{4}-\d\d-\d\d`).ReplaceAllString(got, "until 2036-01-01")
		if got != want {
			t.Errorf("it says\n%s\nthe page has\n%s", got, want)
		}
	}
	old = unindent(old)
	check(old, unindent(failed))
	check(regexp.MustCompile(`(?m)^ciphersuites.*\n`).ReplaceAllString(old, ""), unindent(passed))
}

// unindent takes an example out of a page.
func unindent(block string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.Trim(block, "\n") + "\n") {
		b.WriteString(strings.TrimPrefix(line, "    "))
	}
	return b.String()
}
