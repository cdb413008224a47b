package logging

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func open(t *testing.T, o Options) *Log {
	t.Helper()
	l := New()
	if err := l.Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeLog(t, l) })
	return l
}

func closeLog(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// lines returns the lines of a log file without time stamps, joined by "|".
func lines(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(texts(string(text)), "|")
}

func expect(t *testing.T, path, want string) {
	t.Helper()
	if got := lines(t, path); got != want {
		t.Errorf("%s holds\n%s\nwant\n%s", filepath.Base(path), got, want)
	}
}

func TestBufferIsReplayedThroughFilters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := New()
	ui := l.Logger("ui")
	loud := ui.With("0", "loud", Debug)
	quiet := ui.With("1", "quiet", Err)
	if !quiet.Enabled(Debug) {
		t.Error("a level is applied while buffering")
	}
	ui.Noticef("Configuration successful")
	ui.Infof("hidden")
	loud.Debugf("shown")
	quiet.Noticef("hidden")
	ui.Warnf("password is %s", "hunter22")
	l.AddSecret("hunter22") // known only once the line is in the buffer
	if err := l.Open(Options{Level: Notice, Output: path}); err != nil {
		t.Fatal(err)
	}
	if err := l.Open(Options{}); err == nil {
		t.Error("opened twice")
	}
	ui.Noticef("Accepting new connections")
	quiet.Noticef("hidden")
	closeLog(t, l)
	expect(t, path, "LOG5[ui]: Configuration successful|LOG7[0]: shown|LOG4[ui]: password is <redacted>|LOG5[ui]: Accepting new connections")
}

func TestDumpBuffer(t *testing.T) {
	l := New()
	ui := l.Logger("ui")
	for level := Emerg; level <= Debug; level++ {
		ui.Logf(level, "level %d", level)
	}
	ui.Errf("token %s\n", "hunter22")
	l.AddSecret("hunter22")
	if err := l.Open(Options{Output: filepath.Join(t.TempDir(), "missing", "log")}); err == nil {
		t.Fatal("opened a log file in a missing directory")
	} else if want := "opening log file: open "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q, want %q...", err, want)
	}
	var out strings.Builder
	l.DumpBuffer(&out)
	want := `[*] level 0
[*] level 1
[*] level 2
[!] level 3
[:] level 4
[.] level 5
[ ] level 6
[ ] level 7
[!] token <redacted>.
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	out.Reset()
	if l.DumpBuffer(&out); out.Len() > 0 {
		t.Errorf("dumped twice: %q", out.String())
	}
}

func TestFullBufferKeepsTheNewest(t *testing.T) {
	l := New()
	ui := l.Logger("ui")
	for i := range maxHeld + 3 {
		ui.Debugf("%d", i)
	}
	var out strings.Builder
	l.DumpBuffer(&out)
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	want := []string{"[:] 3 earlier log line(s) lost", "[ ] 3", fmt.Sprintf("[ ] %d", maxHeld+2)}
	if len(got) != 1+maxHeld || got[0] != want[0] || got[1] != want[1] || got[maxHeld] != want[2] {
		t.Errorf("%d lines: %q, %q ... %q", len(got), got[0], got[1], got[len(got)-1])
	}
}

func TestLevels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Level: Warning, Output: path})
	ui := l.Logger("ui")
	conn := ui.With("7", "smtp", Info)
	if ui.Enabled(Notice) || !ui.Enabled(Warning) || conn.Enabled(Debug) || !conn.Enabled(Info) {
		t.Error("wrong levels after Open")
	}
	if err := l.Reconfigure(Options{Level: Debug, Output: path}); err != nil {
		t.Fatal(err)
	}
	if !ui.Enabled(Debug) || conn.Enabled(Debug) {
		t.Error("a reload must change the main level and leave connections theirs")
	}
	for level, log := range []func(string, ...any){ui.Emergf, nil, ui.Critf, ui.Errf, ui.Warnf, ui.Noticef, ui.Infof, ui.Debugf} {
		if log != nil {
			log("%d", level)
		}
	}
	ui.Logf(-3, "clamped")
	ui.Logf(Debug+1, "no such level")
	closeLog(t, l)
	expect(t, path, "LOG0[ui]: 0|LOG2[ui]: 2|LOG3[ui]: 3|LOG4[ui]: 4|LOG5[ui]: 5|LOG6[ui]: 6|LOG7[ui]: 7|LOG0[ui]: clamped")
}

func TestReconfigureNeedsAnOpenLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := New()
	if err := l.Reconfigure(Options{Output: path}); err == nil {
		t.Error("reconfigured before Open")
	}
	closeLog(t, l)
	if err := l.Reconfigure(Options{Output: path}); err == nil {
		t.Error("reconfigured after Close")
	}
	if err := l.Open(Options{Output: path}); err == nil {
		t.Error("opened after Close")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused call made the log file")
	}
}

func TestNilLogger(t *testing.T) {
	var l *Logger
	if l.Enabled(Emerg) || l.With("0", "s", Debug) != nil {
		t.Error("a nil logger is enabled")
	}
	l.Emergf("nothing")
}

func TestReconfigureKeepsOldOnError(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	l := open(t, Options{Level: Notice, Output: first})
	ui := l.Logger("ui")
	ui.Noticef("one")
	if err := l.Reconfigure(Options{Level: Debug, Output: filepath.Join(dir, "missing", "log")}); err == nil {
		t.Fatal("reconfigured to a missing directory")
	}
	ui.Noticef("two")
	ui.Debugf("hidden")
	if err := l.Reconfigure(Options{Level: Notice, Output: second}); err != nil {
		t.Fatal(err)
	}
	expect(t, first, "LOG5[ui]: one|LOG5[ui]: two") // drained before Reconfigure returns
	ui.Noticef("three")
	closeLog(t, l)
	expect(t, second, "LOG5[ui]: three")
}

// TestReloadsLoseNothing switches between two files while eight loggers
// write. Every line must be in one of them, once.
func TestReloadsLoseNothing(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	l := open(t, Options{Level: Notice, Output: paths[0]})
	const loggers, each = 8, 300
	var writers sync.WaitGroup
	for i := range loggers {
		log := l.Logger("ui").With(fmt.Sprint(i), "s", Info)
		writers.Go(func() {
			for j := range each {
				log.Infof("line %d", j)
				runtime.Gosched()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 40 {
			o := Options{Level: Notice, Output: paths[i%2], JSON: false}
			if err := l.Reconfigure(o); err != nil {
				t.Error(err)
			}
			l.AddSecret(fmt.Sprintf("never seen %d", i))
			if err := l.Reopen(); err != nil {
				t.Error(err)
			}
		}
	}()
	writers.Wait()
	<-done
	closeLog(t, l)
	seen := make(map[string]int)
	for _, path := range paths {
		for line := range strings.SplitSeq(lines(t, path), "|") {
			seen[line]++
		}
	}
	for i := range loggers {
		for j := range each {
			if line := fmt.Sprintf("LOG6[%d]: line %d", i, j); seen[line] != 1 {
				t.Fatalf("%q is there %d times", line, seen[line])
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	l := open(t, Options{Level: Notice, Output: filepath.Join(t.TempDir(), "log")})
	ui := l.Logger("ui")
	peer := strings.Repeat("x", 20)
	var conn *Logger
	tests := []struct {
		name string
		most float64
		call func()
	}{
		{"With", 1, func() { conn = ui.With("0", "smtp", Notice) }},
		{"guarded and disabled", 0, func() {
			if conn.Enabled(Debug) {
				conn.Debugf("connected %s", peer)
			}
		}},
		{"enabled", 4, func() { conn.Noticef("connected %s", peer) }},
	}
	for _, test := range tests {
		if got := testing.AllocsPerRun(100, test.call); got > test.most {
			t.Errorf("%s: %v allocations, want at most %v", test.name, got, test.most)
		}
	}
}

func TestRenameMain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	l := New()
	ui := l.Logger("ui")
	connection := ui.With("0", "x", Notice)
	ui.Noticef("starting")
	if err := l.Open(Options{Level: Notice, Output: file}); err != nil {
		t.Fatal(err)
	}
	l.RenameMain("main")
	ui.Noticef("serving")
	connection.Noticef("accepted")
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"LOG5[ui]: starting\n", "LOG5[main]: serving\n", "LOG5[0]: accepted\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}
