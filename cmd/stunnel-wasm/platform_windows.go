package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/daemon"
	"github.com/stunnel-wasm/stunnel-wasm/host/scm"
)

// defaultConfig is read when no argument is given, from the program's directory.
var defaultConfig = "stunnel.conf"

// slashes says that /help is as good as -help.
const slashes = true

// manageHelp is what -help tells of the service control manager.
const manageHelp = "\nstunnel-wasm [-install | -uninstall | -start | -stop | -reload | -reopen | -exit] [-quiet] [FILE]"

func dashed(arg string) string {
	arg = strings.ToLower(arg)
	if rest, ok := strings.CutPrefix(arg, "/"); ok {
		return "-" + rest
	}
	return arg
}

// locate finds the configuration and goes to where its relative names are looked for, as
// stunnel does: the program's directory, or the one above if that is bin, and config in
// there if there is one. The default is never taken from the working directory: whoever
// may write there would choose what runs.
func locate(path string) string {
	dir := "."
	if exe, err := os.Executable(); err == nil {
		dir = filepath.Dir(exe)
	}
	if strings.EqualFold(filepath.Base(dir), "bin") {
		dir = filepath.Dir(dir)
	}
	config := filepath.Join(dir, "config")
	if info, err := os.Stat(config); err == nil && info.IsDir() {
		dir = config
	}
	if path == "" {
		path = filepath.Join(dir, defaultConfig)
	} else if abs, err := filepath.Abs(path); err == nil {
		if _, err := os.Stat(abs); err == nil || filepath.IsAbs(path) {
			path = abs
		} else {
			path = filepath.Join(dir, path)
		}
	}
	// Where that fails, relative names are from the working directory.
	_ = os.Chdir(dir)
	return path
}

// manage does what concerns the service, and says so.
func manage(r scm.Request) int {
	config := locate(r.File)
	switch r.Command {
	case "":
		return daemon.Run(&daemon.Source{Path: config}, os.Stderr)
	case scm.Argument:
		return daemon.RunService(&daemon.Source{Path: config}, os.Stderr)
	}
	done, err := scm.Run(r.Command, config)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", r.Command, err)
		return 1
	}
	if !r.Quiet {
		fmt.Fprintln(os.Stderr, done)
	}
	return 0
}
