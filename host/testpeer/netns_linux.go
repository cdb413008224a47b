package testpeer

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A Network is a network namespace of a test: interfaces, routes and firewall of its own.
type Network struct {
	t    testing.TB
	file *os.File
}

// NewNetwork makes a namespace with nothing but loopback. It needs root.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	NeedRoot(t, "a network namespace")
	n := &Network{t: t}
	apart(t, func() error {
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			n.file, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	})
	t.Cleanup(func() { n.file.Close() })
	n.Run("", Need(t, "ip", "iproute2"), "link", "set", "lo", "up")
	return n
}

// apart calls f in a thread that has its own namespaces, and puts the test's back after it.
func apart(t testing.TB, f func() error) {
	t.Helper()
	runtime.LockOSThread()
	before, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if err := f(); err != nil {
		t.Fatal(err) // the thread, which nobody could use any more, ends with the goroutine
	}
	if err := unix.Setns(int(before.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	runtime.UnlockOSThread()
}

// Inside calls f in the namespace. What f opens or starts stays there.
func (n *Network) Inside(f func()) {
	n.t.Helper()
	apart(n.t, func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		f()
		return nil
	})
}

// Run runs a program in the namespace, which is to succeed.
func (n *Network) Run(input, program string, args ...string) {
	n.t.Helper()
	n.Inside(func() {
		cmd := exec.Command(program, args...)
		cmd.Stdin = strings.NewReader(input)
		if out, err := cmd.CombinedOutput(); err != nil {
			n.t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	})
}

// IP runs ip's commands, a line each.
func (n *Network) IP(commands string) {
	n.t.Helper()
	n.Run(commands, Need(n.t, "ip", "iproute2"), "-batch", "-")
}

// Firewall loads rules of nft, in place of those that were there.
func (n *Network) Firewall(rules string) {
	n.t.Helper()
	n.Run("flush ruleset\n"+rules, Need(n.t, "nft", "nftables"), "-f", "-")
}

// Join connects two namespaces: an interface of that name in each.
func (n *Network) Join(name string, other *Network, otherName string) {
	n.t.Helper()
	n.IP(fmt.Sprintf("link add %s type veth peer name %s netns /proc/%d/fd/%d\n", name, otherName, os.Getpid(), other.file.Fd()))
}
