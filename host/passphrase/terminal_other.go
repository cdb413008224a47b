//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd || windows)

package passphrase

// Terminal cannot ask on this system.
func Terminal(string) ([]byte, error) { return nil, ErrNoTerminal }
