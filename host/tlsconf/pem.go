package tlsconf

import (
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
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

	limited  int      // how many of OpenSSL's trusted certificates are so for some purposes only
	rejected [][]byte // those that are distrusted for some
}

func readPEM(path string) (*blocks, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parsePEM(path, data)
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

// parsePEM takes a file apart.
func parsePEM(path string, data []byte) (*blocks, error) {
	if n := verify.Unread(data); n > 0 {
		return nil, fmt.Errorf("%s: %w", path, &verify.UnreadError{Blocks: n})
	}
	b := &blocks{}
	for p := range verify.Blocks(data) {
		cert, settings := verify.CertificateIn(p)
		switch {
		case settings.Rejected:
			b.rejected = append(b.rejected, cert)
		case settings.Limited:
			b.limited++
		case cert != nil:
			b.certs = append(b.certs, cert)
		case strings.HasSuffix(p.Type, "PRIVATE KEY"):
			b.keys = append(b.keys, p)
		case p.Type == "DH PARAMETERS" || p.Type == "X9.42 DH PARAMETERS":
			b.dh = true
		}
	}
	return b, nil
}
