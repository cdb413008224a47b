package daemon

import (
	"os"
	"slices"
	"strings"
)

// This program begins anew in three ways: with the signals that it was started without
// (unblockSignals) and in the FIPS mode that is asked for (beginAnew) in the same process, and
// out of the terminal as a child (detach). What the next run cannot find out is in its
// environment. It takes that out before it does anything, and package program leaves out
// whatever begins like these, so that no program that is started takes it for its own.
//
// What a service manager has said goes the same way; package systemd sees to it.
const (
	daemonVariable = "_STUNNEL_WASM_DAEMON" // a parent waits on readyFD
	fipsVariable   = "_STUNNEL_WASM_FIPS"   // the mode is as it was asked for; holds what GODEBUG was before
	sourceVariable = "_STUNNEL_WASM_SOURCE" // the name of the descriptor that the configuration has come from
)

// Descriptors of a daemon with a parent. The service manager's sockets follow.
const (
	readyFD  = 3 // where it says that it runs, and asks for passphrases
	configFD = 4 // the configuration's text, when it came from a descriptor
)

// adopt takes over what the run before has left.
func (d *daemon) adopt() {
	if _, ok := take(daemonVariable); ok {
		d.inherit()
	}
	if debug, ok := take(fipsVariable); ok {
		d.begunAnew = true
		// The mode is for this process, not for what it starts.
		if debug == "" {
			os.Unsetenv("GODEBUG")
		} else {
			os.Setenv("GODEBUG", debug)
		}
	}
	if name, ok := take(sourceVariable); ok && d.src.Path == "" {
		d.src.name = name
	}
}

func take(name string) (value string, ok bool) {
	value, ok = os.LookupEnv(name)
	os.Unsetenv(name)
	return value, ok
}

// nextEnviron is the environment of a next run: that of this one, without what setEnv has
// changed, for Go's runtime and the loader of programs would act on it before main.
func (d *daemon) nextEnviron() []string {
	env := slices.Clone(d.environ)
	if d.src.Path == "" {
		env = append(env, sourceVariable+"="+d.src.descriptor())
	}
	return env
}

// inMode makes an environment one in which this program has a FIPS mode from its first
// instruction on, and knows what to take out of it again.
func inMode(fips bool, env []string) []string {
	setting, before := "fips140=off", ""
	if fips {
		// Not "only": that panics on SHA-1 and MD5, which names and old files need
		// outside of TLS; crypto/tls keeps to approved algorithms with "on" too.
		setting = "fips140=on"
	}
	env = slices.DeleteFunc(env, func(v string) bool {
		debug, ok := strings.CutPrefix(v, "GODEBUG=")
		if ok {
			before = debug
		}
		return ok
	})
	for s := range strings.SplitSeq(before, ",") {
		if s != "" && !strings.HasPrefix(s, "fips140=") {
			setting += "," + s
		}
	}
	return append(env, "GODEBUG="+setting, fipsVariable+"="+before)
}
