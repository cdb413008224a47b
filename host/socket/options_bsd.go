//go:build unix && !linux

package socket

// system adds nothing here: the portable options are all that stunnel's names mean.
var system map[string]option
