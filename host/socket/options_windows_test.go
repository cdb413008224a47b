package socket

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// calls has the numbers of winsock2.h, ws2ipdef.h and ws2tcpip.h, written out once more
// to check the table's. Times are in milliseconds.
var calls = map[string]call{
	"SO_DEBUG":            {"yes", 0xffff, 0x1, [2]int{}, 1},
	"SO_REUSEADDR":        {"yes", 0xffff, 0x4, [2]int{}, 1},
	"SO_EXCLUSIVEADDRUSE": {"1", 0xffff, -5, [2]int{}, 1},
	"SO_KEEPALIVE":        {"YES", 0xffff, 0x8, [2]int{}, 1},
	"SO_DONTROUTE":        {"1", 0xffff, 0x10, [2]int{}, 1},
	"SO_LINGER":           {"1:7", 0xffff, 0x80, [2]int{}, [2]uint16{1, 7}},
	"SO_OOBINLINE":        {"yes", 0xffff, 0x100, [2]int{}, 1},
	"SO_SNDBUF":           {"20000", 0xffff, 0x1001, [2]int{}, 20000},
	"SO_RCVBUF":           {"20000", 0xffff, 0x1002, [2]int{}, 20000},
	"SO_SNDTIMEO":         {"4", 0xffff, 0x1005, [2]int{}, 4000},
	"SO_RCVTIMEO":         {"3:500000", 0xffff, 0x1006, [2]int{}, 3500},
	"TCP_NODELAY":         {"yes", 6, 1, [2]int{}, 1},
	"TCP_KEEPIDLE":        {"77", 6, 3, [2]int{}, 77},
	"TCP_KEEPCNT":         {"5", 6, 16, [2]int{}, 5},
	"TCP_KEEPINTVL":       {"33", 6, 17, [2]int{}, 33},
	"IP_TOS":              {"16", 0, 3, [2]int{}, 16},
	"IP_TTL":              {"42", 0, 4, [2]int{41, 4}, 42},
	"IPV6_UNICAST_HOPS":   {"43", 41, 4, [2]int{}, 43},
	"IPV6_V6ONLY":         {"no", 41, 27, [2]int{}, 0},
}

// setsockopt is the system call that a value needs.
func setsockopt(fd, level, opt int, value any) error {
	s := windows.Handle(fd)
	if v, ok := value.([2]uint16); ok {
		return windows.Setsockopt(s, int32(level), int32(opt), (*byte)(unsafe.Pointer(&v)), int32(unsafe.Sizeof(v)))
	}
	v := int32(value.(int))
	return windows.Setsockopt(s, int32(level), int32(opt), (*byte)(unsafe.Pointer(&v)), int32(unsafe.Sizeof(v)))
}

// getsockopt reads an option back, whatever its form.
func getsockopt(fd, level, opt int, _ any) string {
	var b [16]byte
	size := int32(len(b))
	err := windows.Getsockopt(windows.Handle(fd), int32(level), int32(opt), &b[0], &size)
	return fmt.Sprint(b, err)
}

// open makes a fresh socket.
func open(t *testing.T, ipv6 bool) int {
	t.Helper()
	family := windows.AF_INET
	if ipv6 {
		family = windows.AF_INET6
	}
	s, err := windows.Socket(family, windows.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { windows.Closesocket(s) })
	return int(s)
}

// TestReadBack sets options of connections and listeners that Go has made, which Windows
// reads and writes with overlapped calls.
func TestReadBack(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, s := range []any{ln, c} {
		rc, err := s.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ name, value, want string }{
			{"TCP_NODELAY", "yes", "yes"},
			{"TCP_NODELAY", "0", "no"},
			{"SO_KEEPALIVE", "1", "yes"},
			{"SO_KEEPALIVE", "no", "no"},
			{"SO_LINGER", "1:60", "1:60"},
			{"SO_LINGER", "1:100000", "1:65535"},
			{"SO_RCVTIMEO", "3:500000", "3:500000"},
			{"SO_RCVTIMEO", "2147483647", "2147483:647000"},
			{"IP_TTL", "33", "33"},
		} {
			if err := Set("tcp", rc, c.name, c.value); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if got := Get(rc, config.SocketOptions[index(t, c.name)]); got != c.want {
				t.Errorf("%T: %s=%s reads back as %s", s, c.name, c.value, got)
			}
		}
	}
}

func index(t *testing.T, name string) int {
	t.Helper()
	for i, o := range config.SocketOptions {
		if o.Name == name {
			return i
		}
	}
	t.Fatalf("no option %s", name)
	return 0
}

// A port with SO_EXCLUSIVEADDRUSE is nobody else's: that is what it is for. Without it
// Windows gives it to whoever has SO_REUSEADDR; wine never does.
func TestExclusive(t *testing.T) {
	listen := func(addr, name string) (net.Listener, error) {
		lc := net.ListenConfig{Control: func(network, _ string, rc syscall.RawConn) error { return Set(network, rc, name, "yes") }}
		return lc.Listen(context.Background(), "tcp4", addr)
	}
	ln, err := listen("127.0.0.1:0", "SO_EXCLUSIVEADDRUSE")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	rc, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	// A reload says once more what a listener has.
	for name, value := range map[string]string{"SO_EXCLUSIVEADDRUSE": "yes", "SO_REUSEADDR": "no"} {
		if err := Set("tcp", rc, name, value); err != nil {
			t.Errorf("%s of a bound socket: %v", name, err)
		}
	}
	if got := Get(rc, config.SocketOptions[index(t, "SO_EXCLUSIVEADDRUSE")]); got != "yes" {
		t.Errorf("a bound socket has %s", got)
	}
	if thief, err := listen(ln.Addr().String(), "SO_REUSEADDR"); err == nil {
		thief.Close()
		t.Error("another listener gets the port")
	}
}

// IPv6 has no IP_TOS: a line for services of both kinds is no error. Unix sockets have no
// address of IP to share.
func TestLeftAlone(t *testing.T) {
	if err := Set("tcp6", descriptor(open(t, true)), "IP_TOS", "16"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"SO_EXCLUSIVEADDRUSE", "SO_REUSEADDR", "TCP_NODELAY"} {
		if err := Set("unix", descriptor(-1), name, "1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
