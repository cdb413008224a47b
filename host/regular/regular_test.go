package regular

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := Read(path, 5); err != nil || string(data) != "12345" {
		t.Errorf("%q, %v", data, err)
	}
	for _, c := range []struct {
		path  string
		limit int64
		want  string
	}{{path, 4, "larger than 4 bytes"}, {dir, 5, "not a regular file"}, {os.DevNull, 5, "not a regular file"}, {path + "x", 5, ""}} {
		if data, err := Read(c.path, c.limit); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s up to %d: %q, %v", c.path, c.limit, data, err)
		}
	}
}

// TestSame puts a file of the same size and time in another's place.
func TestSame(t *testing.T) {
	dir := t.TempDir()
	at := time.Now().Add(-time.Hour)
	put := func(name, text string, at time.Time) os.FileInfo {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		info, err := Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	before := put("a", "yes", at)
	for _, c := range []struct {
		name string
		now  os.FileInfo
		want bool
	}{
		{"untouched", put("a", "yes", at), true},
		{"later", put("a", "yes", at.Add(time.Second)), false},
		{"longer", put("a", "yes!", at), false},
		{"another", put("b", "not", at), false},
	} {
		if got := Same(before, c.now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	// In its place, with its size and time.
	before = put("a", "yes", at)
	put("b", "not", at)
	if err := os.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if now, err := Stat(filepath.Join(dir, "a")); err != nil || Same(before, now) {
		t.Errorf("a file in another's place: %v", err)
	}
}
