package main

import (
	"os"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// otherProgram in the environment names the program to test in place of this one.
// Run with a real stunnel, the tests of real peers show where they ask for more
// than stunnel does.
const otherProgram = "STUNNEL_WASM_TEST_PROGRAM"

// asDaemon in the environment makes the test binary be the program itself.
const asDaemon = "STUNNEL_WASM_TEST_AS_DAEMON"

// TestMain runs the tests, or the program when a test has started it.
func TestMain(m *testing.M) {
	if os.Getenv(asDaemon) != "" {
		main()
		return
	}
	os.Setenv(asDaemon, "1")
	os.Exit(m.Run())
}

// tested is the file of the program under test.
func tested() (string, error) {
	if other := os.Getenv(otherProgram); other != "" {
		return other, nil
	}
	return os.Executable()
}

// self is tested, or the end of the test.
func self(t *testing.T) string {
	t.Helper()
	binary, err := tested()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// start runs the daemon on a configuration; see testpeer.Start.
func start(t *testing.T, conf string) *testpeer.Daemon {
	t.Helper()
	return testpeer.Start(t, self(t), conf)
}
