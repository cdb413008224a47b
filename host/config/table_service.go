package config

import (
	"time"
)

// connectionOptions say what a service listens on and where it connects to.
var connectionOptions = []Option{
	{Name: "accept", Scope: ServiceScope, Form: "[host:]port", List: true,
		Doc:   "address or /socket that connections are accepted on",
		parse: address(true, func(t *target, a Address) { t.service.Accept = append(t.service.Accept, a) })},
	{Name: "client", Scope: ServiceScope, Form: "yes|no", Default: "no",
		Doc:   "client mode: the outgoing side speaks TLS",
		parse: yesNo(func(t *target, yes bool) { t.service.Client = yes })},
	{Name: "connect", Scope: ServiceScope, Form: "[host:]port", List: true,
		Doc:   "address or /socket that is connected to; several are tried as failover says",
		parse: address(false, func(t *target, a Address) { t.service.Connect = append(t.service.Connect, a) })},
	{Name: "debug", Scope: ServiceScope, Form: "[facility.]level", Default: "daemon.notice",
		Doc: "least severe log level, by name or 0 to 7; the syslog facility only before the first section", parse: parseDebug},
	{Name: "delay", Scope: ServiceScope, Form: "yes|no", Default: "no",
		Doc:   "look up the connect names at each connection, and try them from the first",
		parse: yesNo(func(t *target, yes bool) { t.service.Delay = yes })},
	{Name: "exec", Scope: ServiceScope, Form: "file",
		Doc:   "program that serves the connection, as under inetd",
		parse: nonEmpty(func(t *target, v string) { t.service.Exec.Path = v })},
	{Name: "execArgs", Scope: ServiceScope, Form: "arguments",
		Doc:   "arguments for exec, the program's own name first, split at blanks",
		parse: text(func(t *target, v string) { t.service.Exec.Args = splitArgs(v) })},
	{Name: "failover", Scope: ServiceScope, Form: "rr|prio", Default: "rr",
		Doc: "order of several targets: in turn, or always from the first",
		parse: keyword("The argument needs to be either 'rr' or 'prio'", []string{"rr", "prio"},
			func(t *target, i int) { t.service.Failover = [...]Failover{RoundRobin, Priority}[i] })},
	{Name: "ident", Scope: ServiceScope, Form: "username",
		Doc:   "user that the peer's ident server (RFC 1413) has to name",
		parse: nonEmpty(func(t *target, v string) { t.service.Ident = v })},
	{Name: "include", Scope: ServiceScope, Form: "directory",
		List: true, Doc: "directory whose files are read here, in the order of their names", parse: checkFilled},
	{Name: "libwrap", Scope: ServiceScope, Form: "yes|no", Default: "no",
		Doc:   "ask /etc/hosts.allow and /etc/hosts.deny",
		parse: yesNo(func(t *target, yes bool) { t.service.Libwrap = yes })},
	{Name: "local", Scope: ServiceScope, Form: "host",
		Doc:   "source address of outgoing connections",
		parse: ipOrHost(func(t *target, host string) { t.service.Local = host })},
	{Name: "logId", Scope: ServiceScope, Form: "sequential|unique|thread|process", Default: "sequential",
		Doc: "what names a connection in log lines",
		parse: keyword("Invalid connection identifier type", []string{"sequential", "unique", "thread", "process"},
			func(t *target, i int) {
				t.service.LogID = [...]LogID{LogSequential, LogUnique, LogThread, LogProcess}[i]
			})},
	{Name: "pty", Scope: ServiceScope, Form: "yes|no", Default: "no", parse: parseTerminal,
		Doc: "give the program of exec a pseudo terminal"},
	{Name: "redirect", Scope: ServiceScope, Form: "[host:]port", List: true,
		parse: address(false, func(t *target, a Address) { t.service.Redirect = append(t.service.Redirect, a) }),
		Doc:   "where a server leads connections whose certificate does not pass, in place of connect"},
	{Name: "reset", Scope: ServiceScope, Form: "yes|no", Default: "yes",
		Doc:   "tell the peers of an error by a TCP RST",
		parse: yesNo(func(t *target, yes bool) { t.service.Reset = yes })},
	{Name: "retry", Scope: ServiceScope, Form: "yes|no|milliseconds", Default: "no",
		parse: parseRetry, Doc: "start a service of exec and connect again when it ends, after a second or as long as it says"},
	{Name: "service", Scope: ServiceScope, Form: "name", Default: "stunnel",
		Doc: "name of the service in log lines; before the first section, of the program in the system log",
		parse: nonEmpty(func(t *target, v string) {
			if t.global {
				t.cfg.Global.Ident = v
				return
			}
			t.service.Name = v
		})},
	{Name: "setgid", Scope: ServiceScope, Form: "groupname", Doc: "group to run as; in a section, of its Unix socket",
		parse: parseGroup},
	{Name: "setuid", Scope: ServiceScope, Form: "username", Doc: "user to run as; in a section, owner of its Unix socket",
		parse: parseUser},
	{Name: "socket", Scope: ServiceScope, Form: "a|l|r:option=value[:value]", List: true,
		Doc: "option of the accept, local (accepted) or remote socket", parse: parseSocket},
	{Name: "stack", Scope: ServiceScope, Form: "bytes", Status: NoOp, Note: "the stack of a connection grows by itself",
		Doc: "stack of a connection's thread", parse: checkNumber("Illegal thread stack size", 0, maxNumber)},
	{Name: "TIMEOUTbusy", Scope: ServiceScope, Form: "seconds", Default: "300 seconds",
		Doc:   "how long to wait for data during handshake and negotiation",
		parse: seconds("busy", func(t *target, d time.Duration) { t.service.TimeoutBusy = d })},
	{Name: "TIMEOUTclose", Scope: ServiceScope, Form: "seconds", Default: "60 seconds",
		Doc:   "how long to wait for the peer's close_notify",
		parse: seconds("close", func(t *target, d time.Duration) { t.service.TimeoutClose = d })},
	{Name: "TIMEOUTconnect", Scope: ServiceScope, Form: "seconds", Default: "10 seconds",
		Doc:   "how long to try each target address",
		parse: seconds("connect", func(t *target, d time.Duration) { t.service.TimeoutConnect = d })},
	{Name: "TIMEOUTidle", Scope: ServiceScope, Form: "seconds", Default: "43200 seconds",
		Doc:   "how long a connection may rest without a byte",
		parse: seconds("idle", func(t *target, d time.Duration) { t.service.TimeoutIdle = d })},
	{Name: "transparent", Scope: ServiceScope, Form: "none|source|destination|both", Default: "none", parse: parseTransparent,
		Doc: "keep the client's address, or find the target in the connection"},
}

// newDefaults returns a service as it is when nothing is said.
func newDefaults() *Service {
	return &Service{
		Debug: defaultSeverity, Reset: true, Failover: RoundRobin, Verify: -1, SecurityLevel: DefaultSecurityLevel, Renegotiation: true,
		TimeoutBusy:    300 * time.Second,
		TimeoutClose:   60 * time.Second,
		TimeoutConnect: 10 * time.Second,
		TimeoutIdle:    43200 * time.Second,
		Session:        Session{Resume: true, CacheSize: 1000, Timeout: 300 * time.Second},
		OCSP:           OCSP{Require: true, Timeout: 5 * time.Second},
		ProtocolValues: map[string]string{},
		Pos:            map[string]Place{},
	}
}
