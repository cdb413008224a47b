package config

import (
	"strings"
	"time"
)

// processOptions are the global options that act on the process and its log.
var processOptions = []Option{
	{Name: "chroot", Form: "directory", Doc: "directory that becomes the root of the process's file system",
		parse: nonEmpty(func(t *target, v string) { t.cfg.Global.Chroot = v })},
	{Name: "foreground", Form: "yes|quiet|no", Default: "no",
		Doc: "stay in the foreground, and log to stderr too unless quiet",
		parse: keyword("The argument needs to be either 'yes', 'quiet' or 'no'", []string{"no", "yes", "quiet"},
			func(t *target, i int) {
				t.cfg.Global.Foreground = [...]Foreground{Background, ForegroundYes, ForegroundQuiet}[i]
			})},
	{Name: "log", Form: "append|overwrite", Default: "append",
		Doc: "whether the log file is added to or started anew",
		parse: keyword("The argument needs to be either 'append' or 'overwrite'", []string{"append", "overwrite"},
			func(t *target, i int) { t.cfg.Global.LogOverwrite = i == 1 })},
	{Name: "logFormat", Form: "text|json", Default: "text",
		Doc: "form of the lines in the log file and on stderr (not in stunnel)",
		parse: keyword("The argument needs to be either 'text' or 'json'", []string{"text", "json"},
			func(t *target, i int) { t.cfg.Global.LogJSON = i == 1 })},
	{Name: "maxClients", Form: "number", Default: "from the descriptor limit",
		Doc:   "connections served at once; more are accepted and closed (not in stunnel)",
		parse: number("Illegal number of clients", 0, maxNumber, func(t *target, n int) { t.cfg.Global.MaxClients = n })},
	{Name: "output", Form: "file", Doc: "file that log messages are written to",
		parse: text(func(t *target, v string) { t.cfg.Global.Output = v })},
	{Name: "pid", Form: "file", Doc: "file that gets the process id; empty for none",
		parse: text(func(t *target, v string) { t.cfg.Global.Pid = v })},
	{Name: "setEnv", Form: "NAME=VALUE", List: true, Secret: true,
		Doc: "variable of the process's environment, for what it loads and starts; without a value it is unset",
		parse: keyValue("Illegal environment variable", func(t *target, kv KeyValue) {
			t.cfg.Global.SetEnv = append(t.cfg.Global.SetEnv, kv)
		})},
	{Name: "stopGrace", Form: "seconds", Default: "0 seconds",
		Doc: "how long running connections may go on after SIGTERM (not in stunnel)",
		parse: number("Illegal grace period", 0, maxNumber,
			func(t *target, n int) { t.cfg.Global.Grace = time.Duration(n) * time.Second })},
	{Name: "syslog", Form: "yes|no", Default: "yes", Doc: "send log messages to the system log",
		parse: yesNo(func(t *target, yes bool) { t.cfg.Global.Syslog = yes })},
}

// globalRestOptions are the global options of OpenSSL and of the Windows window.
var globalRestOptions = []Option{
	{Name: "compression", Form: "deflate|zlib", Status: Refused,
		Doc:   "TLS compression",
		Note:  "remove the line: compressing secrets beside foreign text leaks them (CRIME)",
		parse: unsupportedCompression},
	{Name: "EGD", Form: "path", Status: NoOp, parse: checkNothing,
		Doc: "socket of an entropy gathering daemon", Note: kernelRandom},
	{Name: "fips", Form: "yes|no", Default: "no",
		Doc: "use validated cryptography alone (FIPS 140-3)",
		parse: yesNo(func(t *target, yes bool) {
			t.cfg.Global.FIPS = FIPSNo
			if yes {
				t.cfg.Global.FIPS = FIPSYes
			}
		})},
	{Name: "iconActive", Form: "file", Status: NoOp, parse: checkNothing,
		Doc: "icon while connections are open", Note: noWindow},
	{Name: "iconError", Form: "file", Status: NoOp, parse: checkNothing,
		Doc: "icon while the configuration is wrong", Note: noWindow},
	{Name: "iconIdle", Form: "file", Status: NoOp, parse: checkNothing,
		Doc: "icon while no connection is open", Note: noWindow},
	{Name: "RNDbytes", Form: "bytes", Status: NoOp, Note: kernelRandom,
		Doc:   "how much of the seed files is read",
		parse: checkNumber("Illegal number of bytes to read from random seed files", 0, maxNumber)},
	{Name: "RNDfile", Form: "file", Status: NoOp, parse: checkNothing,
		Doc: "file with random seed data", Note: kernelRandom},
	{Name: "RNDoverwrite", Form: "yes|no", Status: NoOp, parse: checkYesNo,
		Doc: "renew the seed file", Note: kernelRandom},
	{Name: "taskbar", Form: "yes|no", Status: NoOp, parse: checkYesNo,
		Doc: "show an icon in the task bar", Note: noWindow},
}

const (
	kernelRandom = "random numbers come from the kernel's generator, which needs no seed"
	noWindow     = "the program has no window and no icon"
)

// unsupportedCompression answers as a stunnel whose OpenSSL was built without zlib.
func unsupportedCompression(_ *target, value string) *Error {
	switch strings.ToLower(value) {
	case "deflate", "zlib":
		return refuse("Configured compression is unsupported", "")
	}
	return refuse("Specified compression type is not available", "")
}
