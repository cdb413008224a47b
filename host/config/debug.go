package config

import (
	"maps"
	"slices"
	"strings"
)

// What is logged, and as what, where nothing is said.
const (
	defaultSeverity = 5 // notice
	defaultFacility = 3 // daemon
)

var severities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// facilities gives syslog's numbers (RFC 5424, section 6.2.1) by the names that syslog.h has.
var facilities = map[string]int{
	"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8,
	"cron": 9, "authpriv": 10, "ftp": 11, "local0": 16, "local1": 17, "local2": 18, "local3": 19,
	"local4": 20, "local5": 21, "local6": 22, "local7": 23,
}

// parseDebug takes [facility.]level. A section has a level alone: the facility is the
// process's.
func parseDebug(t *target, value string) *Error {
	level := strings.ToLower(value)
	facility := -1
	if name, rest, ok := strings.Cut(level, "."); ok && t.global {
		n, known := facilities[name]
		if !known {
			return refuse("Illegal syslog facility", "one of: "+strings.Join(slices.Sorted(maps.Keys(facilities)), ", "))
		}
		facility, level = n, rest
	}
	severity := slices.Index(severities, level)
	if len(level) == 1 && level[0] >= '0' && level[0] <= '7' {
		severity = int(level[0] - '0')
	}
	if severity < 0 {
		return refuse("Illegal debug level", "one of: "+strings.Join(severities, ", ")+
			", or a digit from 0 to 7; a facility may stand before it only ahead of the first section")
	}
	t.service.Debug = severity
	if t.global {
		t.cfg.Global.Debug = severity
		if facility >= 0 {
			t.cfg.Global.Facility = facility
		}
	}
	return nil
}
