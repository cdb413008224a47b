package service

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// testTime bounds every wait in these tests; reaching it is a failure.
const testTime = time.Minute

// A bench is a Server with a log in a file.
type bench struct {
	t       testing.TB
	srv     *Server
	log     *logging.Log
	logFile string
	certs   *testpeer.Certificates
	stopped bool
}

// newBench makes a Server that runs nothing yet. Configurations may name the
// certificates' files by {server}, {client}, {root} and so on.
func newBench(t testing.TB, level logging.Level) *bench {
	t.Helper()
	b := &bench{t: t, log: logging.New(), certs: testpeer.Certs(t), logFile: filepath.Join(t.TempDir(), "log")}
	if err := b.log.Open(logging.Options{Level: level, Output: b.logFile}); err != nil {
		t.Fatal(err)
	}
	b.srv = NewServer(b.log)
	t.Cleanup(b.stop)
	return b
}

// stop stops the Server, cutting its connections, and flushes the log.
func (b *bench) stop() {
	if b.stopped {
		return
	}
	b.stopped = true
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ended := make(chan struct{})
	go func() {
		b.srv.Stop(ctx)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(testTime):
		b.t.Error("Stop does not return")
		buf := make([]byte, 1<<20)
		b.t.Logf("%s", buf[:runtime.Stack(buf, true)])
	}
	b.log.Close(context.Background())
}

// build makes a Set out of a configuration's text.
func (b *bench) build(conf string) *Set {
	b.t.Helper()
	conf = strings.NewReplacer("{server}", b.certs.Server, "{client}", b.certs.Client, "{root}", b.certs.Root,
		"{chain}", b.certs.Chain, "{stranger}", b.certs.Stranger).Replace(conf)
	c, err := config.LoadReader("test.conf", strings.NewReader(conf))
	if err != nil {
		b.t.Fatal(err)
	}
	set, err := Build(context.Background(), c, Options{Log: b.log})
	if err != nil {
		b.t.Fatal(err)
	}
	return set
}

// apply builds and runs a configuration.
func (b *bench) apply(conf string) *Set {
	b.t.Helper()
	set := b.build(conf)
	if err := b.srv.Apply(context.Background(), set); err != nil {
		b.t.Fatal(err)
	}
	return set
}

// addr is where a service listens.
func (b *bench) addr(service string) string {
	b.t.Helper()
	for _, a := range b.srv.Addrs() {
		if name, addr, _ := strings.Cut(a, " "); name == service {
			return addr
		}
	}
	b.t.Fatalf("service %s listens nowhere", service)
	return ""
}

// text is the log so far.
func (b *bench) text() string {
	text, err := os.ReadFile(b.logFile)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// waitLog waits until the log matches a pattern so many times.
func (b *bench) waitLog(pattern string, times int) {
	b.t.Helper()
	re := regexp.MustCompile(pattern)
	eventually(b.t, func() bool { return len(re.FindAllStringIndex(b.text(), -1)) >= times }, func() string {
		return "the log lacks " + pattern + ":\n" + b.text()
	})
}

// eventually polls until something holds.
func eventually(t testing.TB, holds func() bool, otherwise func() string) {
	t.Helper()
	for deadline := time.Now().Add(testTime); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(otherwise())
		}
	}
}

// call connects to a service in the clear.
func call(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, testTime)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(testTime))
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// callTLS connects to a service that speaks TLS, checking nothing.
func callTLS(t testing.TB, addr string, conf *tls.Config) *tls.Conn {
	t.Helper()
	if conf == nil {
		conf = &tls.Config{}
	}
	conf = conf.Clone()
	conf.InsecureSkipVerify = true
	return tls.Client(call(t, addr), conf)
}

// want reads exactly a text.
func want(t testing.TB, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	for n := 0; n < len(got); {
		m, err := c.Read(got[n:])
		n += m
		if err != nil && n < len(got) {
			t.Fatalf("read %q and then %v, want %q", got[:n], err, text)
		}
	}
	if string(got) != text {
		t.Fatalf("read %q, want %q", got, text)
	}
}

// closedPort is a loopback address where nobody listens.
func closedPort(t testing.TB) string {
	t.Helper()
	return "127.0.0.1:" + testpeer.FreePort(t)
}

// mail is the little of an SMTP server that a negotiation sees.
func mail(c net.Conn) {
	io.WriteString(c, "220 test ESMTP\r\n")
	for in := bufio.NewScanner(c); in.Scan(); {
		if strings.HasPrefix(in.Text(), "QUIT") {
			io.WriteString(c, "221 bye\r\n")
			return
		}
		io.WriteString(c, "250 ok\r\n")
	}
}

// talk sends lines and waits for a reply to each.
func talk(c io.ReadWriter, lines ...string) error {
	buf := make([]byte, 4096)
	for _, l := range lines {
		if l != "" {
			if _, err := io.WriteString(c, l+"\r\n"); err != nil {
				return err
			}
		}
		if _, err := c.Read(buf); err != nil {
			return err
		}
	}
	return nil
}
