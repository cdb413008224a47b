package daemon

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// A Source says where the configuration is.
type Source struct {
	Path string // a file; empty: a descriptor
	FD   int
	text []byte // what the descriptor held: it can be read once only
	name string // of the descriptor, for messages; empty: FD
}

func (s *Source) descriptor() string {
	if s.name != "" {
		return s.name
	}
	return strconv.Itoa(s.FD)
}

// Load reads and checks the configuration. Its error is a config.Errors.
func (s *Source) Load() (*config.Config, error) {
	if s.Path != "" {
		return config.Load(s.Path)
	}
	if s.text == nil {
		f := standardFile(s.FD)
		if f == nil {
			f = os.NewFile(uintptr(s.FD), "descriptor "+s.descriptor())
			defer f.Close()
		}
		text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
		if err == nil && len(text) > maxConfig {
			err = fmt.Errorf("more than %d MiB", maxConfig>>20)
		}
		if err != nil {
			return nil, config.Errors{{Reason: fmt.Sprintf("Reading configuration from descriptor %s: %v", s.descriptor(), err)}}
		}
		s.text = text
	}
	return config.LoadReader(s.descriptor(), bytes.NewReader(s.text))
}

// standardFile is a standard descriptor's file, or nil. These stay open: a socket
// that took the number of a closed one would be taken for standard input later.
func standardFile(fd int) *os.File {
	switch fd {
	case 0:
		return os.Stdin
	case 1:
		return os.Stdout
	case 2:
		return os.Stderr
	}
	return nil
}

func realpath(p string) (string, error) {
	p, err := filepath.Abs(p)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(p)
}
