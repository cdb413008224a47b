package logging

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// benchLog opens a log and reports which part of the lines was written. What
// the rest measures is the cost of dropping, which is less.
func benchLog(b *testing.B, o Options) *Logger {
	l := New()
	if err := l.Open(o); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			b.Error(err)
		}
		text, err := os.ReadFile(o.Output)
		if err != nil {
			b.Error(err)
		}
		if lines := bytes.Count(text, []byte("accepted")); lines > 0 {
			b.ReportMetric(float64(lines)/float64(b.N), "written/op")
		}
	})
	b.ReportAllocs()
	return l.Logger("ui").With("4711", "smtp", o.Level)
}

// The lines are those of a connection, with arguments that allocate.
func BenchmarkFile(b *testing.B) {
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(b.TempDir(), "log")})
	peer := "192.0.2.77:45678"
	for b.Loop() {
		log.Noticef("Service [%s] accepted connection from %s", "smtp", peer)
	}
}

func BenchmarkFileParallel(b *testing.B) {
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(b.TempDir(), "log")})
	peer := "192.0.2.77:45678"
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			log.Noticef("Service [%s] accepted connection from %s", "smtp", peer)
		}
	})
}

func BenchmarkFileJSON(b *testing.B) {
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(b.TempDir(), "log"), JSON: true})
	peer := "192.0.2.77:45678"
	for b.Loop() {
		log.Noticef("Service [%s] accepted connection from %s", "smtp", peer)
	}
}

// Nobody listens at the syslog path; the caller's part is the same.
func BenchmarkFileAndSyslog(b *testing.B) {
	dir := b.TempDir()
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(dir, "log"), Syslog: true, SyslogPath: filepath.Join(dir, "none")})
	peer := "192.0.2.77:45678"
	for b.Loop() {
		log.Noticef("Service [%s] accepted connection from %s", "smtp", peer)
	}
}

func BenchmarkFileSecrets(b *testing.B) {
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(b.TempDir(), "log")})
	for range 16 {
		log.log.AddSecret(NewID())
	}
	peer := "192.0.2.77:45678"
	for b.Loop() {
		log.Noticef("Service [%s] accepted connection from %s", "smtp", peer)
	}
}

func BenchmarkDisabled(b *testing.B) {
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(b.TempDir(), "log")})
	peer := "192.0.2.77:45678"
	for b.Loop() {
		if log.Enabled(Debug) {
			log.Debugf("Service [%s] accepted connection from %s", "smtp", peer)
		}
	}
}

func BenchmarkDisabledUnguarded(b *testing.B) {
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(b.TempDir(), "log")})
	peer := "192.0.2.77:45678"
	for b.Loop() {
		log.Debugf("Service [%s] accepted connection from %s", "smtp", peer)
	}
}

var kept *Logger

func BenchmarkWith(b *testing.B) {
	log := benchLog(b, Options{Level: Notice, Output: filepath.Join(b.TempDir(), "log")})
	for b.Loop() {
		kept = log.With("4711", "smtp", Notice)
	}
}
