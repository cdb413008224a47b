package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/daemon"
)

// TestMain lets the test binary be what compare starts: itself in its hidden modes,
// and the daemon.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && strings.HasSuffix(os.Args[1], ".conf") {
		os.Exit(daemon.Run(&daemon.Source{Path: os.Args[1]}, os.Stderr))
	}
	if len(os.Args) > 1 && slices.Contains([]string{hiddenLoad, hiddenBackend, hiddenServe}, os.Args[1]) {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestEverything runs every test once, shortly, against the daemon alone.
func TestEverything(t *testing.T) {
	// With -race, each of some fifty processes would sleep a second when it ends.
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{
		peers:    []*peer{{name: "wasm", kind: kindWASM, binary: self}},
		only:     regexp.MustCompile(""),
		base:     "wasm",
		rounds:   1,
		time:     100 * time.Millisecond,
		idle:     20,
		progress: io.Discard,
	}
	o, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range o.tests {
		peers := []string{"wasm"}
		if test.pair {
			peers = []string{kindGuest, kindNative}
		}
		for _, p := range peers {
			i := slices.IndexFunc(o.Measurements, func(m *measurement) bool { return m.Test == test.name && m.Peer == p })
			if i < 0 {
				t.Errorf("%s did not run on %s", test.name, p)
				continue
			}
			m := o.Measurements[i]
			switch {
			case m.Error != "":
				t.Errorf("%s on %s: %s", test.name, p, m.Error)
			case m.Start <= 0:
				t.Errorf("%s on %s started in no time", test.name, p)
			case test.load.Mode == "":
			case m.Result.Errors > 0:
				t.Errorf("%s on %s: %s", test.name, p, m.Result.FirstError)
			case m.Result.CPU <= 0:
				t.Errorf("%s on %s used no CPU", test.name, p)
			case test.unexpected(m.Result) != "":
				t.Errorf("%s on %s: %s: %s", test.name, p, test.unexpected(m.Result), m.Result.Negotiated)
			}
		}
	}
	if c := o.Costs; c == nil || c.Compile <= 0 || c.CompileCPU <= 0 || c.Runtime <= 0 || c.Negotiate <= 0 || c.Native <= 0 {
		t.Errorf("the guest's costs are %+v", c)
	}
	var table bytes.Buffer
	if err := o.write(&table); err != nil {
		t.Error(err)
	}
	for _, name := range s.names() {
		if !strings.Contains(table.String(), name) {
			t.Errorf("%s is not in the report", name)
		}
	}
	if t.Failed() {
		t.Log(table.String())
	}
	if left, err := tree(os.Getpid()); err != nil || len(left) != 1 {
		t.Errorf("processes %v are left of %d: %v", left, os.Getpid(), err)
	}
}

// TestCPUTime holds the figure that everything rests on against what the system
// says of this process, and against a child's.
func TestCPUTime(t *testing.T) {
	burn := func(cpu time.Duration) {
		for start := used(t, syscall.RUSAGE_SELF); used(t, syscall.RUSAGE_SELF)-start < cpu; {
		}
	}
	mine, children := used(t, syscall.RUSAGE_SELF), used(t, syscall.RUSAGE_CHILDREN)
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	burn(50 * time.Millisecond)
	// An ended child counts, in steps of 10 ms.
	if out, err := exec.Command("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	after, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	want := used(t, syscall.RUSAGE_SELF) - mine + used(t, syscall.RUSAGE_CHILDREN) - children
	if got := after - before; got < want-40*time.Millisecond || got > want+40*time.Millisecond {
		t.Errorf("cpuTime counted %v, getrusage %v", got, want)
	}
	if _, err := cpuTime(1 << 30); err == nil {
		t.Error("a process that is not there has a CPU time")
	}
}

func used(t *testing.T, who int) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(who, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// TestStartFails holds that a peer which does not start tells why, at once.
func TestStartFails(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	free, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	j := &job{role: roleServer, cert: certECDSA, listen: free, connect: free, dir: t.TempDir()}
	_, err = startProxy(t.Context(), &peer{name: "wasm", kind: kindWASM, binary: self}, j)
	if err == nil || !strings.Contains(err.Error(), "ended before it accepted") || !strings.Contains(err.Error(), certECDSA+".pem") {
		t.Errorf("without a certificate the error is: %v", err)
	}
}
