package daemon

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// fipsVariable tells a program that it has begun anew for fips = yes or no. It holds what
// GODEBUG was before, and the configuration descriptor's name in front of it.
const fipsVariable = "_STUNNEL_WASM_FIPS"

// adoptFIPS takes over what the program's earlier run has left, and takes it out of the
// environment: GODEBUG is for this process, not for what it starts.
func (d *daemon) adoptFIPS() {
	text, ok := os.LookupEnv(fipsVariable)
	if !ok {
		return
	}
	os.Unsetenv(fipsVariable)
	d.begunAnew = true
	name, debug, _ := strings.Cut(text, "/")
	if debug == "" {
		os.Unsetenv("GODEBUG")
	} else {
		os.Setenv("GODEBUG", debug)
	}
	if d.src.Path == "" {
		d.src.name = name
	}
}

// settleFIPS sees to it that the process is in the mode that the configuration asks for.
// Go's cryptography takes it from the environment once, before main. So the program is
// executed again, in the same process, as the first thing after the configuration is
// read; then it does not return.
func (d *daemon) settleFIPS(conf *config.Config) error {
	if !fipsDiffers(conf) {
		d.sayFIPS()
		return nil
	}
	if d.begunAnew {
		return fmt.Errorf("fips = %s: the mode stays %s; this build's cryptographic module cannot change it", conf.Global.FIPS, fipsMode())
	}
	return fmt.Errorf("fips = %s: %w", conf.Global.FIPS, d.beginAnew(conf.Global.FIPS == config.FIPSYes))
}

// errFIPSStays is for a reload: another mode needs another start.
var errFIPSStays = errors.New("fips cannot change while the program runs: restart it")

func fipsDiffers(conf *config.Config) bool {
	return conf.Global.FIPS != config.FIPSUnset && (conf.Global.FIPS == config.FIPSYes) != fips140.Enabled()
}

func (d *daemon) sayFIPS() {
	d.ui.Noticef("FIPS mode %s", fipsMode())
	if fips140.Enabled() {
		d.ui.Infof("Go Cryptographic Module %s", fips140.Version())
	}
}

func fipsMode() string {
	if fips140.Enabled() {
		return "enabled"
	}
	return "disabled"
}

// fipsEnviron is an environment in which this program has a mode from its first
// instruction on, and knows what to take out of it again.
func (d *daemon) fipsEnviron(on bool) []string {
	before := os.Getenv("GODEBUG")
	setting := "fips140=off"
	if on {
		// Not "only": that panics on SHA-1 and MD5, which names and old files need
		// outside of TLS; crypto/tls keeps to approved algorithms with "on" too.
		setting = "fips140=on"
	}
	for s := range strings.SplitSeq(before, ",") {
		if s != "" && !strings.HasPrefix(s, "fips140=") {
			setting += "," + s
		}
	}
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GODEBUG=") && !strings.HasPrefix(v, fipsVariable+"=") {
			env = append(env, v)
		}
	}
	return append(env, "GODEBUG="+setting, fipsVariable+"="+d.src.descriptor()+"/"+before)
}
