package socket

import (
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// raw is the descriptor of a listener.
func raw(t *testing.T, network, addr string) syscall.RawConn {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	rc, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

func TestTableListsEveryOption(t *testing.T) {
	var b strings.Builder
	WriteTable(&b)
	var here []config.SocketOptionType
	for _, o := range config.SocketOptions {
		if _, ok := lookup(o.Name); ok != o.On(runtime.GOOS) {
			t.Errorf("%s is here: %v", o.Name, ok)
		}
		if o.On(runtime.GOOS) {
			here = append(here, o)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3+len(here) {
		t.Fatalf("%d lines for %d options", len(lines), len(here))
	}
	for i, o := range here {
		if f := strings.FieldsFunc(lines[3+i], func(r rune) bool { return r == '|' || r == ' ' }); f[0] != o.Name || len(f) != 5 && o.Type != config.SocketString {
			t.Errorf("line %q for %s", lines[3+i], o.Name)
		}
	}
	want := "    SO_REUSEADDR            |       yes|    --    |    --    |        no\n"
	if runtime.GOOS == "windows" {
		want = "    SO_EXCLUSIVEADDRUSE     |       yes|    --    |    --    |        no\n" +
			"    SO_REUSEADDR            |    --    |    --    |    --    |        no\n"
	}
	if !strings.Contains(b.String(), want) {
		t.Errorf("the form has changed:\n%s", b.String())
	}
}
