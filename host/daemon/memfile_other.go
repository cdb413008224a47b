//go:build unix && !linux

package daemon

import "os"

// unnamed makes a file that has no name any more.
func unnamed() (*os.File, error) {
	f, err := os.CreateTemp("", "stunnel-wasm")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}
