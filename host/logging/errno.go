package logging

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Errno words a system call's error as stunnel's log has it, with the number behind:
// "Connection refused (111)". It is false for an error that comes from no system call.
func Errno(err error) (string, bool) {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return "", false
	}
	text := errno.Error()
	if text != "" { // Go begins it small, the C library does not
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return fmt.Sprintf("%s (%d)", text, int(errno)), true
}

// Reason is Errno's text, or the error's own.
func Reason(err error) string {
	if text, ok := Errno(err); ok {
		return text
	}
	return err.Error()
}
