//go:build !windows

package scm

// Run is not for this system.
func Run(command, config string) (done string, err error) { return "", ErrElsewhere }
