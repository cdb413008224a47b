//go:build linux

package service

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A breaker is one way to use and break a connection. It returns an error only
// where the peer must not see one.
type breaker struct {
	name    string
	service string
	use     func(c *net.TCPConn) error
}

// overTLS runs a breaker inside TLS.
func overTLS(conf *tls.Config, f func(t *tls.Conn, c *net.TCPConn) error) func(*net.TCPConn) error {
	return func(c *net.TCPConn) error {
		t := tls.Client(c, conf)
		if err := t.Handshake(); err != nil {
			return fmt.Errorf("handshake: %w", err)
		}
		return f(t, c)
	}
}

// reset closes a connection with an RST.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

// hello is the first flight of a client.
func hello(t *testing.T, conf *tls.Config) []byte {
	a, b := net.Pipe()
	defer b.Close()
	go func() {
		tls.Client(a, conf).Handshake()
		a.Close()
	}()
	buf := make([]byte, 16<<10)
	n, err := b.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// breakers lists every way that a connection ends.
func breakers(t *testing.T, conf *tls.Config) []breaker {
	first := hello(t, conf)
	ping := func(c net.Conn) error {
		if _, err := io.WriteString(c, "ping"); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 4))
		return err
	}
	all := []breaker{
		{"orderly", "echo", overTLS(conf, func(t *tls.Conn, _ *net.TCPConn) error {
			defer t.Close()
			return ping(t)
		})},
		{"half-close by the client", "echo", overTLS(conf, func(t *tls.Conn, _ *net.TCPConn) error {
			io.WriteString(t, "text")
			t.CloseWrite()
			if text, err := io.ReadAll(t); err != nil || string(text) != "text" {
				return fmt.Errorf("read %q, %v", text, err)
			}
			return nil
		})},
		{"reset by the client", "echo", overTLS(conf, func(t *tls.Conn, c *net.TCPConn) error {
			defer reset(c)
			return ping(t)
		})},
		{"reset with bytes under way", "echo", overTLS(conf, func(t *tls.Conn, c *net.TCPConn) error {
			t.Write(make([]byte, 100_000))
			reset(c)
			return nil
		})},
		{"truncated", "echo", overTLS(conf, func(t *tls.Conn, c *net.TCPConn) error {
			defer c.CloseWrite()
			return ping(t)
		})},
		{"cut within a record", "echo", overTLS(conf, func(t *tls.Conn, c *net.TCPConn) error {
			c.Write([]byte{23, 3, 3, 1, 0, 7, 7})
			c.CloseWrite()
			io.Copy(io.Discard, c)
			return nil
		})},
		{"forged record", "echo", overTLS(conf, func(t *tls.Conn, c *net.TCPConn) error {
			c.Write([]byte("\x17\x03\x03\x00\x20abcdefghijklmnopqrstuvwxyz012345"))
			io.Copy(io.Discard, c)
			return nil
		})},
		{"slow reader", "echo", overTLS(conf, func(t *tls.Conn, c *net.TCPConn) error {
			c.SetReadBuffer(32 << 10)
			const size = 200_000
			go func() {
				t.Write(make([]byte, size))
				t.CloseWrite()
			}()
			n := 0
			for buf := make([]byte, 1000); ; {
				m, err := t.Read(buf)
				n += m
				if err == io.EOF && n == size {
					return nil
				}
				if err != nil {
					return fmt.Errorf("after %d bytes: %w", n, err)
				}
			}
		})},
		{"reset by the backend", "rst", overTLS(conf, func(t *tls.Conn, _ *net.TCPConn) error {
			io.Copy(io.Discard, t)
			return nil
		})},
		{"half-close by the backend", "half", overTLS(conf, func(t *tls.Conn, _ *net.TCPConn) error {
			if text, err := io.ReadAll(t); err != nil || string(text) != "bye" {
				return fmt.Errorf("read %q, %v", text, err)
			}
			return t.Close()
		})},
		{"refused backend", "refused", overTLS(conf, func(t *tls.Conn, _ *net.TCPConn) error {
			io.Copy(io.Discard, t)
			return nil
		})},
		{"garbage", "echo", func(c *net.TCPConn) error {
			io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
			io.Copy(io.Discard, c)
			return nil
		}},
		{"silent", "busy", func(c *net.TCPConn) error {
			io.Copy(io.Discard, c)
			return nil
		}},
		{"silent after a part", "busy", func(c *net.TCPConn) error {
			c.Write(first[:len(first)/2])
			io.Copy(io.Discard, c)
			return nil
		}},
		{"silent SMTP", "smtpbusy", func(c *net.TCPConn) error {
			io.Copy(io.Discard, c)
			return nil
		}},
		{"client mode, orderly", "client", func(c *net.TCPConn) error { return ping(c) }},
		{"client mode, reset", "client", func(c *net.TCPConn) error {
			defer reset(c)
			return ping(c)
		}},
		{"client mode, half-close", "client", func(c *net.TCPConn) error {
			io.WriteString(c, "text")
			c.CloseWrite()
			if text, err := io.ReadAll(c); err != nil || string(text) != "text" {
				return fmt.Errorf("read %q, %v", text, err)
			}
			return nil
		}},
		{"client mode, no TLS there", "deaf", func(c *net.TCPConn) error {
			io.Copy(io.Discard, c)
			return nil
		}},
		{"client mode, refused", "clientrefused", func(c *net.TCPConn) error {
			io.Copy(io.Discard, c)
			return nil
		}},
		{"denied at accept", "denyaccept", func(c *net.TCPConn) error {
			io.Copy(io.Discard, c)
			return nil
		}},
		{"denied after the handshake", "denyhandshake", overTLS(conf, func(t *tls.Conn, _ *net.TCPConn) error {
			if n, err := t.Read(make([]byte, 1)); n > 0 || err != io.EOF {
				return fmt.Errorf("read %d bytes and %v", n, err)
			}
			return nil
		})},
		{"denied before the dial, SMTP", "denydial", func(c *net.TCPConn) error {
			io.Copy(io.Discard, c)
			return nil
		}},
		{"a policy that traps", "trap", func(c *net.TCPConn) error {
			io.Copy(io.Discard, c)
			return nil
		}},
		{"SMTP, whole", "smtp", func(c *net.TCPConn) error {
			if err := talk(c, "", "EHLO x", "STARTTLS"); err != nil {
				return err
			}
			return overTLS(conf, func(t *tls.Conn, _ *net.TCPConn) error {
				defer t.Close()
				return talk(t, "EHLO x", "QUIT")
			})(c)
		}},
		{"SMTP, garbage for a handshake", "smtp", func(c *net.TCPConn) error {
			err := talk(c, "", "EHLO x", "STARTTLS")
			io.WriteString(c, "MAIL FROM:<>\r\n")
			io.Copy(io.Discard, c)
			return err
		}},
	}
	for i, steps := range [][]string{nil, {""}, {"", "EHLO x"}, {"", "EHLO x", "STARTTLS"}} {
		for _, hard := range []bool{false, true} {
			all = append(all, breaker{fmt.Sprintf("SMTP abandoned at step %d, reset %v", i, hard), "smtp", func(c *net.TCPConn) error {
				if hard {
					defer reset(c)
				}
				return talk(c, steps...)
			}})
		}
	}
	for _, n := range []int{0, 1, 4, 5, 6, 40, len(first) / 2, len(first) - 1, len(first)} {
		for _, hard := range []bool{false, true} {
			all = append(all, breaker{fmt.Sprintf("hang-up after %d bytes, reset %v", n, hard), "echo", func(c *net.TCPConn) error {
				c.Write(first[:n])
				if hard {
					reset(c)
				}
				return nil
			}})
		}
	}
	return all
}

// usage is what must not grow.
type usage struct {
	goroutines, descriptors int
	heap                    int64
}

func measure(t *testing.T) usage {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // sync.Pool keeps what it holds through one collection
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), len(fds), int64(m.HeapAlloc)}
}

// settles waits until usage is back where it was; the heap may have grown a little,
// by maps that do not shrink.
func (u usage) settles(t *testing.T, slack int64) {
	t.Helper()
	var now usage
	for deadline := time.Now().Add(testTime); ; time.Sleep(10 * time.Millisecond) {
		if now = measure(t); now.goroutines <= u.goroutines && now.descriptors <= u.descriptors && now.heap <= u.heap+slack {
			t.Logf("before %+v, after %+v", u, now)
			return
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("before %+v, after %+v\n%s", u, now, buf[:runtime.Stack(buf, true)])
		}
	}
}

// Connections broken in every way there is leave nothing behind, and each has its
// last line in the log.
func TestNoConnectionLeaves(t *testing.T) {
	const connections, atOnce = 2000, 48
	start := measure(t)
	b := newBench(t, logging.Notice)
	pair := b.certs.Pair(t, b.certs.Server)
	serverConf := &tls.Config{Certificates: []tls.Certificate{pair}}
	echo := testpeer.Serve(t, testpeer.Echo)
	echoTLS := testpeer.Serve(t, func(c net.Conn) {
		s := tls.Server(c, serverConf)
		testpeer.Echo(s)
		s.Close()
	})
	rst := testpeer.Serve(t, func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) })
	half := testpeer.Serve(t, func(c net.Conn) {
		io.WriteString(c, "bye")
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	})
	smtp := testpeer.Serve(t, mail)
	hangs := testpeer.Serve(t, testpeer.Say("no TLS here"))
	closed := closedPort(t)
	b.apply(`
debug = notice
TIMEOUTconnect = 60
cert = {server}
[echo]
accept = 127.0.0.1:0
connect = ` + echo + `
[rst]
accept = 127.0.0.1:0
connect = ` + rst + `
[half]
accept = 127.0.0.1:0
connect = ` + half + `
[refused]
accept = 127.0.0.1:0
connect = ` + closed + `
[busy]
TIMEOUTbusy = 1
accept = 127.0.0.1:0
connect = ` + echo + `
[smtp]
protocol = smtp
accept = 127.0.0.1:0
connect = ` + smtp + `
[smtpbusy]
TIMEOUTbusy = 1
protocol = smtp
accept = 127.0.0.1:0
connect = ` + smtp + `
[denyaccept]
accept = 127.0.0.1:0
connect = ` + echo + `
` + deciding(t, "x") + `[denyhandshake]
accept = 127.0.0.1:0
connect = ` + echo + `
` + deciding(t, "h") + `[denydial]
protocol = smtp
accept = 127.0.0.1:0
connect = ` + smtp + `
` + deciding(t, "y") + `[trap]
accept = 127.0.0.1:0
connect = ` + echo + `
` + deciding(t, "t") + `[client]
client = yes
accept = 127.0.0.1:0
connect = ` + echoTLS + `
[deaf]
client = yes
accept = 127.0.0.1:0
connect = ` + hangs + `
[clientrefused]
client = yes
accept = 127.0.0.1:0
connect = ` + closed + `
`)
	addrs := map[string]string{}
	all := breakers(t, &tls.Config{InsecureSkipVerify: true})
	for _, br := range all {
		addrs[br.service] = b.addr(br.service)
	}
	made := 0
	round := func(n int) {
		var wg sync.WaitGroup
		var next atomic.Int64
		for range atOnce {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
					br := all[i%int64(len(all))]
					nc, err := net.DialTimeout("tcp", addrs[br.service], testTime)
					if errors.Is(err, syscall.ECONNRESET) {
						continue // accepted, and reset before the client looked
					}
					if err != nil {
						t.Errorf("%s: %v", br.name, err)
						return
					}
					nc.SetDeadline(time.Now().Add(testTime))
					if err := br.use(nc.(*net.TCPConn)); err != nil {
						t.Errorf("%s: %v", br.name, err)
					}
					nc.Close()
				}
			})
		}
		wg.Wait()
		made += n
		eventually(t, func() bool {
			b.srv.mu.Lock()
			defer b.srv.mu.Unlock()
			return len(b.srv.conns) == 0 && b.srv.active.Load() == 0
		}, func() string { return fmt.Sprintf("%d connections are still there", b.srv.active.Load()) })
	}
	round(4 * len(all)) // pools, caches and maps reach their size
	before := measure(t)
	round(connections)
	before.settles(t, 1<<20)
	b.stop()
	if n := strings.Count(b.text(), "accepted connection from"); n != made {
		t.Errorf("%d connections were accepted, want %d", n, made)
	}
	last := regexp.MustCompile(`Connection (closed|reset|reset/closed|closed/reset): \d+ byte\(s\) sent to TLS, \d+ byte\(s\) sent to socket`)
	if n := len(last.FindAllString(b.text(), -1)); n != made {
		t.Errorf("%d connections have their last line, want %d", n, made)
	}
	// The backends and the file of the log end with the test.
	left := usage{start.goroutines + 6, start.descriptors + 7, start.heap}
	left.settles(t, 8<<20)
}
