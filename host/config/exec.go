package config

import (
	"runtime"
	"strings"
	"time"
)

// Exec holds what a service does with a program.
type Exec struct {
	Path     string   // empty: none
	Args     []string // from the program's own name on, on Windows in one; empty: Path alone
	Terminal bool     // pty = yes
	// Retry is how long after its end a service of exec and connect starts again; 0: never.
	Retry time.Duration
}

// retryTime is what retry = yes waits.
const retryTime = time.Second

// splitArgs splits at blanks; there are no quotes, as in stunnel. On Windows a program has
// one line of arguments, which stunnel hands over as it is, quotes and all.
func splitArgs(value string) []string {
	if runtime.GOOS == "windows" {
		return []string{value}
	}
	return strings.Fields(value)
}

func parseTerminal(t *target, value string) *Error {
	e := yesNo(func(t *target, yes bool) { t.service.Exec.Terminal = yes })(t, value)
	if e == nil && t.service.Exec.Terminal && runtime.GOOS != "linux" {
		return refuse("pty is not supported", "programs have pseudo terminals on Linux alone: remove the line")
	}
	return e
}

// parseRetry also takes the milliseconds of stunnel 5.70.
func parseRetry(t *target, value string) *Error {
	e := yesNo(func(t *target, yes bool) {
		t.service.Exec.Retry = 0
		if yes {
			t.service.Exec.Retry = retryTime
		}
	})(t, value)
	if e == nil {
		return nil
	}
	if number("", 0, maxNumber, func(t *target, n int) {
		t.service.Exec.Retry = time.Duration(n) * time.Millisecond
	})(t, value) == nil {
		return nil
	}
	return refuse("The argument needs to be either 'yes' or 'no'", "write yes, no or a number of milliseconds")
}

// checkInetd looks at a file without a section, whose one service speaks with whoever
// standard input and output lead to.
func checkInetd(s *Service, st *state, system string) Errors {
	errs := settle(s, st)
	missing := func(reason, hint string) {
		errs = append(errs, (&Error{Part: PartInetd, Reason: reason}).WithHint("%s", hint))
	}
	if system == "windows" {
		missing("inetd mode is not supported", "start each service with a line [NAME]: this system has no inetd")
	}
	if len(s.Accept) > 0 {
		missing("'accept' option is only allowed in a [section]", "start each service with a line [NAME]; a file without any is for inetd, which accepts")
		return errs
	}
	if n, sure := endpoints(s, st); n != 1 && sure {
		missing("Inetd mode must define one endpoint",
			"a file without a [section] is for inetd: give it one of connect and exec; or start each service with a line [NAME]")
	}
	return errs
}
