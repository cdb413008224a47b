//go:build !linux

package guest

import "errors"

// A memfile is a file in memory. Here there is none, and instances copy.
type memfile struct{}

func newMemfile([]byte) (memfile, error) { return memfile{}, errors.ErrUnsupported }

func (memfile) mapping(int) []byte { return nil }
func (memfile) read([]byte)        {}
func (memfile) close()             {}

func unmap([]byte) {}
