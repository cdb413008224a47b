package socket

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// number reads an option back.
func number(t *testing.T, rc syscall.RawConn, level, opt int) int {
	t.Helper()
	var n int
	var err error
	rc.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), level, opt) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// calls has Linux's numbers, written out once more to check the table's.
var calls = map[string]call{
	"SO_DEBUG":                {"yes", 1, 1, [2]int{}, 1},
	"SO_REUSEADDR":            {"no", 1, 2, [2]int{}, 0},
	"SO_DONTROUTE":            {"1", 1, 5, [2]int{}, 1},
	"SO_SNDBUF":               {"20000", 1, 7, [2]int{}, 20000},
	"SO_RCVBUF":               {"20000", 1, 8, [2]int{}, 20000},
	"SO_KEEPALIVE":            {"YES", 1, 9, [2]int{}, 1},
	"SO_OOBINLINE":            {"yes", 1, 10, [2]int{}, 1},
	"SO_PRIORITY":             {"5", 1, 12, [2]int{}, 5},
	"SO_LINGER":               {"1:7", 1, 13, [2]int{}, &unix.Linger{Onoff: 1, Linger: 7}},
	"SO_REUSEPORT":            {"yes", 1, 15, [2]int{}, 1},
	"SO_RCVLOWAT":             {"17", 1, 18, [2]int{}, 17},
	"SO_SNDLOWAT":             {"17", 1, 19, [2]int{}, 17}, // Linux refuses it
	"SO_RCVTIMEO":             {"3:500000", 1, 20, [2]int{}, &unix.Timeval{Sec: 3, Usec: 500000}},
	"SO_SNDTIMEO":             {"4", 1, 21, [2]int{}, &unix.Timeval{Sec: 4}},
	"SO_BINDTODEVICE":         {"lo", 1, 25, [2]int{}, "lo"},
	"SO_MARK":                 {"9", 1, 36, [2]int{}, 9},
	"SO_BUSY_POLL":            {"50", 1, 46, [2]int{}, 50},
	"TCP_NODELAY":             {"yes", 6, 1, [2]int{}, 1},
	"TCP_MAXSEG":              {"1000", 6, 2, [2]int{}, 1000},
	"TCP_CORK":                {"yes", 6, 3, [2]int{}, 1},
	"TCP_KEEPIDLE":            {"77", 6, 4, [2]int{}, 77},
	"TCP_KEEPINTVL":           {"33", 6, 5, [2]int{}, 33},
	"TCP_KEEPCNT":             {"5", 6, 6, [2]int{}, 5},
	"TCP_SYNCNT":              {"3", 6, 7, [2]int{}, 3},
	"TCP_LINGER2":             {"11", 6, 8, [2]int{}, 11},
	"TCP_DEFER_ACCEPT":        {"1", 6, 9, [2]int{}, 1},
	"TCP_WINDOW_CLAMP":        {"30000", 6, 10, [2]int{}, 30000},
	"TCP_QUICKACK":            {"no", 6, 12, [2]int{}, 0},
	"TCP_CONGESTION":          {"reno", 6, 13, [2]int{}, "reno"},
	"TCP_USER_TIMEOUT":        {"4000", 6, 18, [2]int{}, 4000},
	"TCP_FASTOPEN":            {"8", 6, 23, [2]int{}, 8},
	"TCP_NOTSENT_LOWAT":       {"9000", 6, 25, [2]int{}, 9000},
	"TCP_FASTOPEN_CONNECT":    {"yes", 6, 30, [2]int{}, 1},
	"IP_TOS":                  {"16", 0, 1, [2]int{41, 67}, 16},
	"IP_TTL":                  {"42", 0, 2, [2]int{41, 16}, 42},
	"IP_FREEBIND":             {"yes", 0, 15, [2]int{41, 78}, 1},
	"IP_TRANSPARENT":          {"yes", 0, 19, [2]int{41, 75}, 1},
	"IP_BIND_ADDRESS_NO_PORT": {"yes", 0, 24, [2]int{}, 1},
	"IPV6_UNICAST_HOPS":       {"43", 41, 16, [2]int{}, 43},
	"IPV6_V6ONLY":             {"yes", 41, 26, [2]int{}, 1},
	"IPV6_TCLASS":             {"32", 41, 67, [2]int{}, 32},
}

// setsockopt is the system call that a value needs.
func setsockopt(fd, level, opt int, value any) error {
	switch v := value.(type) {
	case string:
		return unix.SetsockoptString(fd, level, opt, v)
	case *unix.Linger:
		return unix.SetsockoptLinger(fd, level, opt, v)
	case *unix.Timeval:
		return unix.SetsockoptTimeval(fd, level, opt, v)
	}
	return unix.SetsockoptInt(fd, level, opt, value.(int))
}

// getsockopt reads an option back as setsockopt's value is printed.
func getsockopt(fd, level, opt int, value any) string {
	switch value.(type) {
	case string:
		s, err := unix.GetsockoptString(fd, level, opt)
		return fmt.Sprint(strings.TrimRight(s, "\x00"), err)
	case *unix.Linger:
		v, err := unix.GetsockoptLinger(fd, level, opt)
		return fmt.Sprint(v, err)
	case *unix.Timeval:
		v, err := unix.GetsockoptTimeval(fd, level, opt)
		return fmt.Sprint(v, err)
	}
	v, err := unix.GetsockoptInt(fd, level, opt)
	return fmt.Sprint(v, err)
}

// open makes a fresh socket.
func open(t *testing.T, ipv6 bool) int {
	t.Helper()
	family := unix.AF_INET
	if ipv6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func TestUnixSocketsIgnoreTCP(t *testing.T) {
	rc := raw(t, "unix", filepath.Join(t.TempDir(), "s"))
	for _, name := range []string{"TCP_NODELAY", "TCP_KEEPIDLE", "IP_TTL", "IPV6_V6ONLY"} {
		if err := Set("unix", rc, name, "1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Set("unix", rc, "SO_RCVBUF", "20000"); err != nil {
		t.Fatal(err)
	}
	if n := number(t, rc, unix.SOL_SOCKET, unix.SO_RCVBUF); n != 40000 {
		t.Errorf("SO_RCVBUF reads back as %d", n)
	}
}

func TestErrorsAreNamed(t *testing.T) {
	rc := raw(t, "tcp", "127.0.0.1:0")
	if err := Set("tcp", rc, "SO_NOTHING", "1"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "SO_NOTHING") {
		t.Errorf("got %v", err)
	}
	if err := Set("tcp", rc, "TCP_CONGESTION", "nothing"); !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "TCP_CONGESTION") {
		t.Errorf("got %v", err)
	}
}
