//go:build unix

package logging

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listen makes a datagram socket as syslogd does.
func listen(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// receive returns one datagram with the time stamp replaced by "TIME".
func receive(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return hideTime(t, string(buf[:n]))
}

func hideTime(t *testing.T, line string) string {
	t.Helper()
	pri, rest, ok := strings.Cut(line, ">")
	if !ok || len(rest) < len(time.Stamp) {
		t.Fatalf("no syslog line: %q", line)
	}
	if _, err := time.Parse(time.Stamp, rest[:len(time.Stamp)]); err != nil {
		t.Error(err)
	}
	return pri + ">TIME" + rest[len(time.Stamp):]
}

func TestSyslog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	server := listen(t, path)
	l := open(t, Options{Level: Notice, Syslog: true, SyslogPath: path, Facility: 4, Ident: "mailtls", JSON: true})
	conn := l.Logger("ui").With("3", "smtp", Notice)
	conn.Noticef("Service [%s] accepted connection", "smtp")
	conn.Errf("two\nlines")
	pid := os.Getpid()
	for _, want := range []string{
		fmt.Sprintf("<37>TIME mailtls[%d]: LOG5[3]: Service [smtp] accepted connection", pid),
		fmt.Sprintf("<35>TIME mailtls[%d]: LOG3[3]: two.lines", pid),
	} {
		if got := receive(t, server); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSyslogReconnects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	server := listen(t, path)
	l := open(t, Options{Level: Notice, Syslog: true, SyslogPath: path})
	ui := l.Logger("ui")
	ui.Noticef("before")
	receive(t, server)
	server.Close()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	server = listen(t, path)
	ui.Noticef("after")
	if got, want := receive(t, server), fmt.Sprintf("<5>TIME stunnel[%d]: LOG5[ui]: after", os.Getpid()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSyslogStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	server, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l := open(t, Options{Level: Notice, Syslog: true, SyslogPath: path, Facility: 3})
	l.Logger("ui").Noticef("over a stream")
	closeLog(t, l)
	c, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hideTime(t, line), fmt.Sprintf("<29>TIME stunnel[%d]: LOG5[ui]: over a stream\n", os.Getpid()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSyslogNobodyReads fills the socket of a syslogd that hangs, then the
// queue. Logging must go on, and Close must keep to its context.
func TestSyslogNobodyReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	server := listen(t, path)
	l := open(t, Options{Level: Notice, Syslog: true, SyslogPath: path})
	s := l.state.Load().sinks[syslogSink]
	ui := l.Logger("ui")
	start := time.Now()
	for i := range 3 * maxQueue {
		ui.Noticef("line %d", i)
	}
	ui.Emergf("the last one")
	if d := time.Since(start); d > syslogWait {
		t.Errorf("%d lines took %v", 3*maxQueue, d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v, want context canceled", err)
	}
	server.Close()
	<-s.done // a dead socket ends the goroutine
}

func TestSyslogAbsentIsNoError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, Options{Level: Notice, Syslog: true, SyslogPath: path})
	l.Logger("ui").Noticef("nobody is there")
	closeLog(t, l)
	o := &syslogOut{paths: []string{path}}
	if lost, err := o.writeLines([]byte("a\nb\nc\n")); lost != 3 || !errors.Is(err, errNoSyslog) {
		t.Errorf("lost %d: %v", lost, err)
	}
	server := listen(t, path)
	if lost, err := o.writeLines([]byte("too early\n")); lost != 1 || !errors.Is(err, errNoSyslog) {
		t.Errorf("tried again within %v: lost %d, %v", syslogRetry, lost, err)
	}
	o.retryAt = time.Time{}
	if lost, err := o.writeLines([]byte("<5>Jan  1 00:00:00 x\n")); lost != 0 || err != nil {
		t.Errorf("lost %d: %v", lost, err)
	}
	if got := receive(t, server); got != "<5>TIME x" {
		t.Errorf("got %q", got)
	}
	o.close()
}
