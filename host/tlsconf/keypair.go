package tlsconf

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// maxPEM bounds a certificate, key or CA file, in bytes: the largest bundles of
// public CAs are under 1 MiB.
const maxPEM = 16 << 20

// blocks are the parts of a PEM file, in its order. Other types are skipped: DH
// parameters, for which crypto/tls has no use, and whatever tools leave behind.
type blocks struct {
	certs [][]byte
	keys  []*pem.Block
}

func readPEM(path string) (*blocks, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPEM {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxPEM>>20)
	}
	b := &blocks{}
	for {
		var p *pem.Block
		p, data = pem.Decode(data)
		if p == nil {
			return b, nil
		}
		switch {
		case p.Type == "CERTIFICATE" || p.Type == "X509 CERTIFICATE":
			b.certs = append(b.certs, p.Bytes)
		case p.Type == "TRUSTED CERTIFICATE":
			// OpenSSL's own form: the certificate, then trust settings of no use here.
			if c, err := firstElement(p.Bytes); err == nil {
				b.certs = append(b.certs, c)
			}
		case strings.HasSuffix(p.Type, "PRIVATE KEY"):
			b.keys = append(b.keys, p)
		}
	}
}

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

// loadCertificate reads cert and key: one file or two, each with certificates and
// key in any order. The leaf is the certificate that the key belongs to.
func (c *Context) loadCertificate(s *config.Service) error {
	cb, err := readPEM(s.Cert)
	if err != nil {
		return s.Errorf("cert", "%v", err)
	}
	if len(cb.certs) == 0 {
		return s.Errorf("cert", "no certificate in %s (PEM is read so far)", s.Cert)
	}
	keyPath, kb, keyOption := s.Cert, cb, "cert"
	if s.Key != "" && s.Key != s.Cert {
		keyPath, keyOption = s.Key, "key"
		if kb, err = readPEM(s.Key); err != nil {
			return s.Errorf("key", "%v", err)
		}
	}
	if len(kb.keys) == 0 {
		return s.Errorf(keyOption, "no private key in %s", keyPath).WithHint("name the file that has it with key = FILE, or append it to the certificate")
	}
	key, err := parseKey(kb.keys[0])
	if err != nil {
		return s.Errorf(keyOption, "private key in %s: %v", keyPath, err)
	}
	if insecure(keyPath) {
		c.Warnings = append(c.Warnings, "Insecure file permissions on "+keyPath)
	}
	chain := cb.certs
	if kb != cb {
		chain = append(chain[:len(chain):len(chain)], kb.certs...)
	}
	cert, err := keyPair(chain, key)
	if err != nil {
		return s.Errorf("cert", "%s: %v", s.Cert, err)
	}
	c.Config.Certificates = []tls.Certificate{*cert}
	return nil
}

// insecure says whether others than the owner's group can read a key file.
func insecure(path string) bool {
	if runtime.GOOS == "windows" {
		return false
	}
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Mode().Perm()&0o007 != 0
}

func parseKey(p *pem.Block) (crypto.Signer, error) {
	if p.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(p.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, errors.New("passphrases are not implemented yet: decrypt it with \"openssl pkey\"")
	}
	if k, err := x509.ParsePKCS1PrivateKey(p.Bytes); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(p.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w (RSA, ECDSA on P-224 to P-521, and Ed25519 keys are known)", err)
	}
	switch k := k.(type) {
	case *rsa.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("a key of type %T does not sign", k)
}

// keyPair puts the key's own certificate first and the others behind it, each
// issuer after what it issued as far as they connect; peers that follow RFC 5246
// need that order.
func keyPair(chain [][]byte, key crypto.Signer) (*tls.Certificate, error) {
	var parsed []*x509.Certificate
	for _, der := range chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("parsing a certificate: %w", err)
		}
		parsed = append(parsed, c)
	}
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil, errors.New("a key that cannot be compared")
	}
	leaf := -1
	for i, c := range parsed {
		if pub.Equal(c.PublicKey) {
			leaf = i
			break
		}
	}
	if leaf < 0 {
		return nil, errors.New("key values mismatch: no certificate belongs to the private key")
	}
	out := &tls.Certificate{PrivateKey: key, Leaf: parsed[leaf]}
	used := make([]bool, len(parsed))
	for cur := leaf; cur >= 0; {
		used[cur] = true
		out.Certificate = append(out.Certificate, parsed[cur].Raw)
		next := -1
		for i, c := range parsed {
			if !used[i] && bytes.Equal(c.RawSubject, parsed[cur].RawIssuer) {
				next = i
				break
			}
		}
		cur = next
	}
	for i, c := range parsed {
		if !used[i] {
			out.Certificate = append(out.Certificate, c.Raw)
		}
	}
	return out, nil
}
