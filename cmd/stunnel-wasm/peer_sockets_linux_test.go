package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/socket"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// socketTable is what -sockets prints, by name.
func socketTable(t *testing.T, program string) (names []string, rows map[string]string) {
	t.Helper()
	cmd := exec.Command(program, "-sockets")
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	rows = map[string]string{}
	for line := range strings.Lines(out.String()) {
		if name, row, ok := strings.Cut(strings.TrimSpace(line), "|"); ok && strings.Contains(name, "_") {
			name = strings.TrimSpace(name)
			names, rows[name] = append(names, name), row
		}
	}
	return names, rows
}

// TestSocketTable has every option of stunnel's -sockets first, in its order and with its
// defaults.
func TestSocketTable(t *testing.T) {
	t.Parallel()
	names, rows := socketTable(t, testpeer.Need(t, "stunnel4", "stunnel4"))
	ours, ourRows := socketTable(t, self(t))
	if len(names) < 21 || len(ours) < len(names) || !slices.Equal(names, ours[:len(names)]) {
		t.Fatalf("stunnel has %v\nours %v", names, ours)
	}
	for _, name := range names {
		if rows[name] != ourRows[name] {
			t.Errorf("%s: stunnel %s, ours %s", name, rows[name], ourRows[name])
		}
	}
}

// sockets reads all options of a daemon's sockets: a the listener, l the accepted one, r the
// one to the backend.
func sockets(t *testing.T, d *testpeer.Daemon, listen, backend string) map[string]string {
	t.Helper()
	proc, err := unix.PidfdOpen(d.PID(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(proc)
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.PID()))
	if err != nil {
		t.Fatal(err)
	}
	options := slices.DeleteFunc(slices.Clone(config.SocketOptions), func(o config.SocketOptionType) bool { return !o.On("linux") })
	all := map[string]string{}
	for _, e := range fds {
		var n int
		fmt.Sscan(e.Name(), &n)
		fd, err := unix.PidfdGetfd(proc, n, 0)
		if err != nil {
			continue // closed meanwhile
		}
		f := os.NewFile(uintptr(fd), "socket")
		scope := ""
		switch {
		case named(unix.Getpeername(fd)) == backend:
			scope = "r"
		case named(unix.Getsockname(fd)) != listen:
		default:
			scope = "l"
			if on, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); on != 0 {
				scope = "a"
			}
		}
		if scope != "" {
			rc, err := f.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range options {
				all[scope+":"+o.Name] = socket.Get(rc, o)
			}
			protocol, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
			all[scope+":protocol"] = fmt.Sprint(protocol) // 262 would be multipath TCP
		}
		f.Close()
	}
	if len(all) != 3*(len(options)+1) {
		t.Fatalf("%d options of sockets are found", len(all))
	}
	return all
}

// named prints an IPv4 socket's address.
func named(sa unix.Sockaddr, err error) string {
	if a, ok := sa.(*unix.SockaddrInet4); ok && err == nil {
		return fmt.Sprintf("%s:%d", net.IP(a.Addr[:]), a.Port)
	}
	return ""
}

// moving are options that the kernel changes as a connection goes on.
var moving = []string{"SO_RCVBUF", "SO_SNDBUF", "TCP_WINDOW_CLAMP", "TCP_QUICKACK", "TCP_MAXSEG"}

// TestSocketOptionsSeen looks at our sockets and stunnel's from outside: nothing differs,
// whether the file says nothing of options or much.
func TestSocketOptionsSeen(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	testpeer.NeedRoot(t, "looking at another program's sockets")
	backend := testpeer.Serve(t, testpeer.Echo)
	for _, options := range []string{
		"",
		"a:SO_REUSEADDR=no l:TCP_NODELAY=no r:TCP_NODELAY=no",
		"a:SO_KEEPALIVE=yes a:TCP_KEEPIDLE=70 r:SO_KEEPALIVE=yes r:TCP_KEEPCNT=3 r:TCP_KEEPINTVL=11",
		"l:SO_KEEPALIVE=yes l:SO_LINGER=1:60 l:IP_TOS=16 r:IP_TTL=33 r:SO_OOBINLINE=1 a:SO_RCVLOWAT=1 r:SO_DONTROUTE=yes",
		"l:SO_RCVTIMEO=10:500000 r:SO_SNDTIMEO=20:0 a:IP_FREEBIND=yes r:SO_BINDTODEVICE=lo",
	} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			var conf strings.Builder
			for o := range strings.FieldsSeq(options) {
				conf.WriteString("socket = " + o + "\n")
			}
			var seen [2]map[string]string
			for i, program := range []string{self(t), stunnel} {
				certs := testpeer.Certs(t)
				d := testpeer.Start(t, program, conf.String()+"[x]\naccept = 127.0.0.1:0\nconnect = "+backend+"\ncert = "+certs.Server+"\n")
				c := secure(t, certs, d.Addr("x"))
				c.SetDeadline(time.Now().Add(testpeer.Patience))
				c.Write([]byte("x"))
				if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				seen[i] = sockets(t, d, d.Addr("x"), backend)
				c.Close()
			}
			for name, ours := range seen[0] {
				if theirs := seen[1][name]; ours != theirs && !slices.Contains(moving, name[2:]) {
					t.Errorf("%s: %s, stunnel's %s", name, ours, theirs)
				}
			}
			if n := seen[0]["a:SO_REUSEADDR"]; n != map[bool]string{true: "no", false: "yes"}[strings.Contains(options, "REUSEADDR=no")] {
				t.Errorf("SO_REUSEADDR is %s", n)
			}
		})
	}
}
