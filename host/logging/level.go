package logging

import (
	"fmt"
	"strings"
)

// A Level is a syslog severity (RFC 5424, section 6.2.1): the lower, the worse.
type Level int

// The severities by stunnel's names.
const (
	Emerg Level = iota
	Alert
	Crit
	Err
	Warning
	Notice
	Info
	Debug
)

var levelNames = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// String returns the name that stunnel's debug option takes.
func (l Level) String() string {
	if l < Emerg || l > Debug {
		return fmt.Sprintf("level%d", int(l))
	}
	return levelNames[l]
}

// ParseLevel reads a level's name, in any case, or its one digit.
func ParseLevel(s string) (Level, error) {
	for i, name := range levelNames {
		if strings.EqualFold(s, name) || len(s) == 1 && s[0] == byte('0'+i) {
			return Level(i), nil
		}
	}
	return 0, fmt.Errorf("illegal debug level %q", s)
}

// ParseFacility reads a syslog facility's name, in any case, and returns its
// number (RFC 5424, section 6.2.1).
func ParseFacility(s string) (int, error) {
	names := [...]string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
		"uucp", "cron", "authpriv", "ftp", 16: "local0", "local1", "local2",
		"local3", "local4", "local5", "local6", "local7",
	}
	for i, name := range names {
		if name != "" && strings.EqualFold(s, name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("illegal syslog facility %q", s)
}
