//go:build unix

package tlsconf

import (
	"crypto/x509"
	"errors"
)

// systemRoots is for Windows: config refuses the store elsewhere.
func systemRoots() ([]*x509.Certificate, error) { return nil, errors.ErrUnsupported }
