//go:build linux || windows

package socket

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// A call is an option's own system call, with the value as stunnel writes it.
type call struct {
	value string
	level int
	opt   int
	v6    [2]int // level and option on an IPv6 socket, where they differ
	n     any    // what the kernel is given
}

// Each option does to a socket what its system call does to another one: it reads
// back alike, or is refused with the same error by kernels that lack it.
func TestEveryOptionIsItsSystemCall(t *testing.T) {
	done := 0
	for _, ipv6 := range []bool{false, true} {
		for _, o := range config.SocketOptions {
			if !o.On(runtime.GOOS) {
				continue
			}
			c, ok := calls[o.Name]
			if !ok {
				t.Errorf("%s is not in the table of this test", o.Name)
				continue
			}
			t.Run(fmt.Sprintf("%s ipv6 %v", o.Name, ipv6), func(t *testing.T) {
				level, opt := c.level, c.opt
				if ipv6 && c.v6[0] != 0 {
					level, opt = c.v6[0], c.v6[1]
				}
				fd, twin := open(t, ipv6), open(t, ipv6)
				fresh := getsockopt(fd, level, opt, c.n)
				err := Set("tcp", descriptor(fd), o.Name, c.value)
				want := setsockopt(twin, level, opt, c.n)
				if (err == nil) != (want == nil) || want != nil && !errors.Is(err, want) {
					t.Fatalf("got %v, and from the system call %v", err, want)
				}
				got := getsockopt(fd, level, opt, c.n)
				if w := getsockopt(twin, level, opt, c.n); got != w {
					t.Errorf("reads back as %s, and after the system call as %s", got, w)
				}
				if got != fresh {
					done++
				}
			})
		}
	}
	// Whatever the kernel, most of them change what is read back.
	if done < len(config.SocketOptions)/2 {
		t.Errorf("%d options changed anything", done)
	}
}

func TestV6OnlyBeforeBind(t *testing.T) {
	for _, value := range []string{"yes", "no"} {
		fd := open(t, true)
		if err := Set("tcp6", descriptor(fd), "IPV6_V6ONLY", value); err != nil {
			t.Fatal(err)
		}
		if got := Get(descriptor(fd), config.SocketOptionType{Name: "IPV6_V6ONLY"}); got != value {
			t.Errorf("%s reads back as %s", value, got)
		}
	}
}

// A reload sets the options of listeners that it keeps once more. IPV6_V6ONLY is refused
// for a bound socket, whatever its value.
func TestV6OnlyAfterBind(t *testing.T) {
	rc := raw(t, "tcp6", "[::1]:0")
	if err := Set("tcp6", rc, "IPV6_V6ONLY", "yes"); err != nil {
		t.Error(err)
	}
	if err := Set("tcp6", rc, "IPV6_V6ONLY", "no"); err == nil {
		t.Error("a bound socket takes IPv4 from now on")
	}
}

// A descriptor is a socket that is not net's.
type descriptor int

func (d descriptor) Control(f func(uintptr)) error  { f(uintptr(d)); return nil }
func (d descriptor) Read(func(uintptr) bool) error  { return errors.ErrUnsupported }
func (d descriptor) Write(func(uintptr) bool) error { return errors.ErrUnsupported }
