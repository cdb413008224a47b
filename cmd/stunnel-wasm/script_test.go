//go:build linux

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// workVariable marks the processes of a script, so that daemons that have left
// their parents are found and ended with it.
const workVariable = "STUNNEL_WASM_TEST_WORK"

// TestScript runs testdata/script, one file for each behaviour of the command as
// its users meet it. In every file of a script ${WORK}, ${HOST}, ${CERT}, ${CA},
// ${ECHO} and ${SMTP} are replaced:
//
//	WORK  the script's directory, which is the working directory too
//	HOST  an address of the loopback network that no other script binds
//	CERT  a server's key and certificate for localhost
//	CA    the authority that issued it
//	ECHO  host:port of a backend that sends everything back
//	SMTP  host:port of a mail server that refuses every password, and shows it
//	MODULES  the directory of modules that tests are made of, testdata/guests
//
// Commands beside testscript's own are in processCommands and peerCommands. All of
// them wait for an event, for no longer than testpeer.Patience.
func TestScript(t *testing.T) {
	certs := testpeer.Certs(t)
	modules, err := filepath.Abs(filepath.Join("..", "..", "testdata", "guests"))
	if err != nil {
		t.Fatal(err)
	}
	var hosts atomic.Int64
	commands := processCommands()
	for name, c := range peerCommands() {
		commands[name] = c
	}
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Cmds:               commands,
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			// Other test processes of this machine have another process number.
			pid := os.Getpid()
			vars := map[string]string{
				"WORK":    env.WorkDir,
				"HOST":    fmt.Sprintf("127.%d.%d.%d", 1+pid>>8&0x7f, pid&0xff, hosts.Add(1)),
				"CERT":    certs.Server,
				"CA":      certs.Chain,
				"ECHO":    testpeer.Serve(tb, testpeer.Echo),
				"SMTP":    testpeer.Serve(tb, indiscreet),
				"MODULES": modules,
			}
			for k, v := range vars {
				env.Setenv(k, v)
			}
			env.Setenv(asDaemon, "1")
			env.Setenv(workVariable, env.WorkDir)
			// With the race detector a program would sleep a second before it ends.
			env.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
			bin := tb.TempDir()
			exe, err := tested()
			if err != nil {
				return err
			}
			if err := os.Symlink(exe, filepath.Join(bin, "stunnel-wasm")); err != nil {
				return err
			}
			env.Setenv("PATH", bin+":"+env.Getenv("PATH"))
			s := &scripted{env: env, processes: map[string]*process{}, conns: map[string]*peer{}}
			env.Values[scriptKey{}] = s
			env.Defer(s.end)
			return expandFiles(env.WorkDir, vars)
		},
	})
}

// expandFiles replaces ${NAME} for the given names in all files of a directory.
// Other text with a dollar sign stays.
func expandFiles(dir string, vars map[string]string) error {
	var pairs []string
	for k, v := range vars {
		pairs = append(pairs, "${"+k+"}", v)
	}
	r := strings.NewReplacer(pairs...)
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(r.Replace(string(text))), 0o600)
	})
}
