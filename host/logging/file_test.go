package logging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAppendAndOverwrite(t *testing.T) {
	tests := []struct {
		name      string
		overwrite bool
		want      string
	}{
		{"append", false, "LOG5[old]: old|LOG5[ui]: one|LOG5[ui]: two"},
		{"overwrite", true, "LOG5[ui]: one|LOG5[ui]: two"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte("2026.11.22 13:12:03 LOG5[old]: old\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			o := Options{Level: Notice, Output: path, Overwrite: test.overwrite}
			l := open(t, o)
			l.Logger("ui").Noticef("one")
			if err := l.Reconfigure(o); err != nil { // must not truncate again
				t.Fatal(err)
			}
			l.Logger("ui").Noticef("two")
			closeLog(t, l)
			expect(t, path, test.want)
		})
	}
}

func TestReopenAfterRename(t *testing.T) {
	dir := t.TempDir()
	path, rotated := filepath.Join(dir, "log"), filepath.Join(dir, "log.1")
	l := open(t, Options{Level: Notice, Output: path})
	ui := l.Logger("ui")
	ui.Noticef("before")
	if err := os.Rename(path, rotated); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	ui.Noticef("after")
	closeLog(t, l)
	// "before" was queued, and may have been written to either file.
	all := lines(t, rotated) + "|" + lines(t, path)
	if got, want := strings.Trim(all, "|"), "LOG5[ui]: before|LOG5[ui]: Log file reopened|LOG5[ui]: after"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := lines(t, path); !strings.HasSuffix(got, "LOG5[ui]: Log file reopened|LOG5[ui]: after") {
		t.Errorf("the new file holds %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^fileMode != 0 {
		t.Errorf("mode %v, %v, want %o", info.Mode(), err, fileMode)
	}
}

func TestFailedReopenKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "log")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	l := open(t, Options{Level: Notice, Output: path})
	if err := os.Rename(filepath.Dir(path), filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	err := l.Reopen()
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Reopen: %v, want a missing directory", err)
	}
	l.Logger("ui").Noticef("still here")
	closeLog(t, l)
	reason := strings.TrimPrefix(err.Error(), "reopening log file: ")
	expect(t, filepath.Join(dir, "moved", "log"), "LOG3[ui]: Log file not reopened: "+reason+"|LOG5[ui]: still here")
}

func TestReopenWithoutFile(t *testing.T) {
	l := New()
	if err := l.Reopen(); err != nil {
		t.Errorf("while buffering: %v", err)
	}
	if err := l.Open(Options{Level: Debug}); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Errorf("without Output: %v", err)
	}
	if l.Logger("ui").Enabled(Emerg) {
		t.Error("enabled without a sink")
	}
}

// TestTornLine cuts a write short, as a full disk does, by a pipe that
// nobody reads in time.
func TestTornLine(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	o := newFileOut(w)
	line := strings.Repeat("x", 998) + "\n" // no power of two: the cut is inside a line
	const count = 200                       // more than a pipe holds
	if err := w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	lost, err := o.writeLines([]byte(strings.Repeat(line, count)))
	if !errors.Is(err, os.ErrDeadlineExceeded) || lost <= 0 || lost >= count {
		t.Fatalf("lost %d of %d lines: %v", lost, count, err)
	}
	read := make(chan string)
	go func() {
		var all strings.Builder
		_, err := r.WriteTo(&all)
		if err != nil {
			t.Error(err)
		}
		read <- all.String()
	}()
	if err := w.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if lost, err := o.writeLines([]byte("whole\n")); lost != 0 || err != nil {
		t.Fatalf("lost %d: %v", lost, err)
	}
	o.close()
	got := strings.Split(<-read, "\n")
	if len(got) != count-lost+3 || got[len(got)-2] != "whole" {
		t.Errorf("%d lines in the pipe, %d lost, the last one %q", len(got), lost, got[len(got)-2])
	}
}

// TestStderr checks both sinks at once: plain on standard error, which stays
// open after Close, and the same lines in the file.
func TestStderr(t *testing.T) {
	stderr := os.Stderr
	defer func() { os.Stderr = stderr }()
	dir := t.TempDir()
	for name, json := range map[string]bool{"text": false, "json": true} {
		f, err := os.Create(filepath.Join(dir, "stderr."+name))
		if err != nil {
			t.Fatal(err)
		}
		os.Stderr = f
		path := filepath.Join(dir, "log."+name)
		l := open(t, Options{Level: Notice, Stderr: true, Output: path, JSON: json})
		ui := l.Logger("ui")
		ui.Noticef("one")
		if err := l.Reconfigure(Options{Level: Notice, Stderr: true, Output: path, JSON: json}); err != nil {
			t.Fatal(err)
		}
		ui.Noticef("two")
		closeLog(t, l)
		if _, err := f.WriteString("end\n"); err != nil {
			t.Errorf("standard error was closed: %v", err)
		}
		f.Close()
		onStderr, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		inFile, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(onStderr) != string(inFile)+"end\n" || strings.Count(string(inFile), "\n") != 2 {
			t.Errorf("%s: stderr got\n%sthe file\n%s", name, onStderr, inFile)
		}
		if strings.HasPrefix(string(inFile), `{"time":"`) != json {
			t.Errorf("%s: wrong format:\n%s", name, inFile)
		}
	}
}
