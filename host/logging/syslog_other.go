//go:build !unix

package logging

// openFlags are added when a log file is opened.
const openFlags = 0

// newSyslogSink returns nil: this system has no syslog.
func newSyslogSink(Options) *sink { return nil }
