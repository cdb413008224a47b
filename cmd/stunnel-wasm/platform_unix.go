//go:build unix

package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/scm"
)

// defaultConfig is read when no argument is given. Packagers set it with
// -ldflags -X to where their system keeps it.
var defaultConfig = "/etc/stunnel/stunnel.conf"

// slashes says that /help is as good as -help.
const slashes = false

// manageHelp is what -help tells of the service control manager.
const manageHelp = ""

func dashed(arg string) string { return strings.ToLower(arg) }

// locate finds the configuration; empty is the default.
func locate(path string) string {
	if path == "" {
		return defaultConfig
	}
	return path
}

// manage refuses what is for Windows.
func manage(r scm.Request) int {
	if r.Command == "" {
		r.Command = "-quiet"
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", r.Command, scm.ErrElsewhere)
	return 1
}
