// Package testpeer lets tests run the daemon against real programs: it finds
// them, starts and stops them, waits for what they say, and makes the throw-away
// certificates and small backends that they need.
//
// Everything belongs to one test and ends with it. Nothing here waits for a time
// to pass: a test goes on when a line was written, a port answers or a process
// has ended, and fails when that takes longer than Patience.
package testpeer

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Patience bounds every wait. It is far above what the slowest machine needs, so
// that only something stuck reaches it: a daemon under the race detector takes up to 20
// seconds to compile a guest in Go beside other tests.
const Patience = 2 * time.Minute

// sbin is where Debian keeps daemons; a user's PATH often lacks it. The last has what
// .ci/packages only unpacks, because Debian does not install it beside another peer.
var sbin = []string{"/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/stunnel-wasm-peers/usr/sbin"}

// Need gives the path of a program that a Debian package installs. A test that
// cannot have it is skipped with the reason; with CI=true in the environment it
// fails, so that nothing is left out unseen.
func Need(t testing.TB, program, debianPackage string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, dir := range sbin {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	Skip(t, program+" is missing: apt-get install "+debianPackage)
	return ""
}

// NeedFile is Need for a file that is no program.
func NeedFile(t testing.TB, path, debianPackage string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		Skip(t, path+" is missing: apt-get install "+debianPackage)
	}
}

// NeedRoot skips, or fails with CI=true, a test of a program that gives up root
// and so cannot start without it.
func NeedRoot(t testing.TB, program string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, program+" starts as root only")
	}
}

// Skip leaves a test out that a machine cannot run, and says why; with CI=true in the
// environment it fails the test instead.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// FreePort gives a port that nobody binds on any address, for a program that cannot choose
// one itself, and the same one only once. It is below those that systems give out (Linux from
// 32768 on), so that no connection and no listener of another test gets it in between.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10000 + rand.IntN(20000))
		if _, given := ports.LoadOrStore(port, true); given {
			continue
		}
		if ln, err := net.Listen("tcp", ":"+port); err == nil {
			ln.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// ports are those that FreePort has given.
var ports sync.Map
