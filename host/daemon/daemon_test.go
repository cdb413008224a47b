//go:build unix

package daemon

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/session"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// started is a daemon in the foreground that logs to a file.
func started(t *testing.T, conf string) (d *daemon, logFile string) {
	t.Helper()
	dir := t.TempDir()
	logFile = filepath.Join(dir, "log")
	d = &daemon{src: &Source{Path: filepath.Join(dir, "stunnel.conf")}, log: logging.New(), sessions: session.NewStore(), stderr: os.Stderr}
	d.ui = d.log.Logger("ui")
	writeConfig(t, d, logFile, conf)
	if err := d.start(); err != nil {
		d.log.DumpBuffer(os.Stderr)
		t.Fatal(err)
	}
	t.Cleanup(func() {
		signal.Stop(d.signals)
		signal.Reset(syscall.SIGPIPE)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		d.stop(ctx)
	})
	return d, logFile
}

func writeConfig(t *testing.T, d *daemon, logFile, conf string) {
	t.Helper()
	head := "foreground = quiet\nsyslog = no\ndebug = 7\noutput = " + logFile + "\n"
	if err := os.WriteFile(d.src.Path, []byte(head+conf), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEndDuringReload has a reload wait for a name server that does not answer: the
// daemon ends when it is told to, though other signals wait for the reload.
func TestEndDuringReload(t *testing.T) {
	cert := "cert = " + testpeer.Certs(t).Server + "\n"
	d, logFile := started(t, cert+"[x]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n")
	asked := make(chan struct{}, 1)
	saved := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = saved })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	writeConfig(t, d, logFile, cert+"[x]\naccept = a.name.test:0\nconnect = 127.0.0.1:1\n")
	ended := make(chan struct{})
	go func() {
		d.loop()
		close(ended)
	}()
	d.signals <- syscall.SIGHUP
	<-asked
	d.signals <- syscall.SIGUSR2
	d.signals <- syscall.SIGTERM
	select {
	case <-ended:
	case <-time.After(testpeer.Patience):
		t.Fatal("the daemon waits for the name server")
	}
	text, err := os.ReadFile(logFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{": Failed to reload the configuration file\n", ": Terminated\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
}

func TestPidFile(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(path, other string) error
	}{
		{"new", func(string, string) error { return nil }},
		{"left by an earlier run", func(path, _ string) error { return os.WriteFile(path, []byte("1 and more than a number\n"), 0o600) }},
		{"a link to another file", func(path, other string) error { return os.Symlink(other, path) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path, other := filepath.Join(dir, "pid"), filepath.Join(dir, "other")
			if err := os.WriteFile(other, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := c.prepare(path, other); err != nil {
				t.Fatal(err)
			}
			d := &daemon{conf: &config.Config{Global: config.Global{Pid: path}}}
			if err := d.createPid(); err != nil {
				t.Fatal(err)
			}
			fi, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if !fi.Mode().IsRegular() || fi.Mode().Perm()&0o022 != 0 {
				t.Errorf("the pid file has mode %v", fi.Mode())
			}
			d.removePid()
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the pid file is still there: %v", err)
			}
			if text, err := os.ReadFile(other); string(text) != "precious" {
				t.Errorf("the other file holds %q, %v", text, err)
			}
		})
	}
}

// TestHugeDescriptor gives a device that never ends for a configuration.
func TestHugeDescriptor(t *testing.T) {
	f, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd())) // Load closes it
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&Source{FD: fd}).Load()
	var errs config.Errors
	if !errors.As(err, &errs) || !strings.Contains(err.Error(), "more than 4 MiB") {
		t.Errorf("got %v, want an error about the size", err)
	}
}

func TestMemoryFile(t *testing.T) {
	want := bytes.Repeat([]byte("protocolPassword = secret\n"), 10000)
	f, err := memoryFile(want)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make([]byte, len(want)+1)
	n, err := f.Read(got)
	if err != nil || !bytes.Equal(got[:n], want) {
		t.Errorf("read %d bytes and %v, want the %d that were written", n, err, len(want))
	}
}
