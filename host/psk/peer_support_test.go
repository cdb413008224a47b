package psk

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// echoServer accepts and echoes with a configuration. Each handshake's end is told.
func echoServer(t *testing.T, c *Config) (addr string, ends <-chan result) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	told := make(chan result, 16)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(testpeer.Patience))
				s, err := serve(nc, c)
				told <- result{s, err}
				if err == nil {
					io.Copy(s, s)
					s.Close()
				}
			}()
		}
	}()
	return ln.Addr().String(), told
}

func end(t *testing.T, ends <-chan result) result {
	t.Helper()
	select {
	case r := <-ends:
		return r
	case <-time.After(testpeer.Patience):
		t.Fatal("no handshake has ended")
		return result{}
	}
}

func dial(t *testing.T, addr string, c *Config) *Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(testpeer.Patience))
	return Client(nc, c)
}
