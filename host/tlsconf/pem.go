package tlsconf

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxPEM bounds a certificate, key or CA file, in bytes: the largest bundles of
// public CAs are under 1 MiB.
const maxPEM = 16 << 20

// blocks are the parts of a PEM file, in its order. Other types are skipped: what
// tools leave behind.
type blocks struct {
	certs [][]byte
	keys  []*pem.Block
	dh    bool // DH parameters, for which crypto/tls has no use

	// limited counts OpenSSL's trusted certificates whose settings name purposes (by an
	// object identifier): they may be trusted, or distrusted, for those alone.
	limited int
}

func readPEM(path string) (*blocks, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parsePEM(data), nil
}

// readFile reads a file of the operator's that is not larger than such files are.
func readFile(path string) ([]byte, error) { return readBounded(path, maxPEM) }

// readBounded reads a file of so many bytes at most.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, limit>>20)
	}
	return data, nil
}

func parsePEM(data []byte) *blocks {
	b := &blocks{}
	for {
		var p *pem.Block
		p, data = pem.Decode(data)
		if p == nil {
			return b
		}
		switch {
		case p.Type == "CERTIFICATE" || p.Type == "X509 CERTIFICATE":
			b.certs = append(b.certs, p.Bytes)
		case p.Type == "TRUSTED CERTIFICATE":
			// OpenSSL's own form: the certificate, then trust settings.
			c, err := firstElement(p.Bytes)
			switch {
			case err != nil:
			case bytes.ContainsRune(p.Bytes[len(c):], objectIdentifier):
				b.limited++
			default:
				b.certs = append(b.certs, c)
			}
		case strings.HasSuffix(p.Type, "PRIVATE KEY"):
			b.keys = append(b.keys, p)
		case p.Type == "DH PARAMETERS" || p.Type == "X9.42 DH PARAMETERS":
			b.dh = true
		}
	}
}

// objectIdentifier is the tag of one in DER.
const objectIdentifier = 6

// firstElement cuts a DER element off the front of its followers.
func firstElement(der []byte) ([]byte, error) {
	if len(der) < 4 || der[0] != 0x30 || der[1] != 0x82 {
		return nil, errors.New("not a certificate")
	}
	n := 4 + int(der[2])<<8 + int(der[3])
	if n > len(der) {
		return nil, io.ErrUnexpectedEOF
	}
	return der[:n], nil
}
