//go:build !cgo

package token

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io"
)

// Available says whether this build can load modules.
const Available = false

// A Key signs in a token; without cgo there is none.
type Key struct{}

// Key is refused.
func (s Source) Key(URI, []crypto.PublicKey) (*Key, error) { return nil, ErrNoCgo }

// Certificates is refused.
func (s Source) Certificates(URI) ([]*x509.Certificate, error) { return nil, ErrNoCgo }

func (k *Key) Public() crypto.PublicKey { return nil }

func (k *Key) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, ErrNoCgo }

func (k *Key) Schemes() []tls.SignatureScheme { return nil }

func (k *Key) Close() {}
