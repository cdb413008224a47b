package tlsconf

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// storedTrust reads the certificates of CAengine and CAstore. They are trusted as those
// of CAfile are.
func (c *Context) storedTrust(s *config.Service, o Options) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, value := range s.Trust.CAengine {
		if o.Store == nil || !o.Store.Holds(s, value) {
			return nil, s.Errorf("CAengine", "%s names no certificate in an engine", config.HidePIN(value)).
				WithHint("write a pkcs11: URI, or set engineId = pkcs11 and write id_HEX or label_TEXT")
		}
		certs, err := o.Store.Trusted(s, value)
		if err != nil {
			return nil, storeHint(s.Errorf("CAengine", "%v", err), err)
		}
		all = append(all, certs...)
	}
	value := s.Trust.CAstore
	if value == "" {
		return all, nil
	}
	if o.Store != nil && o.Store.Holds(s, value) {
		certs, err := o.Store.Trusted(s, value)
		if err != nil {
			return nil, storeHint(s.Errorf("CAstore", "%v", err), err)
		}
		return append(all, certs...), nil
	}
	read := fileStore
	if config.IsSystemStore(value) {
		read = func(string) ([]*x509.Certificate, error) { return systemRoots() }
	}
	certs, err := read(value)
	if err != nil {
		return nil, s.Errorf("CAstore", "%v", err)
	}
	if len(certs) == 0 {
		return nil, s.Errorf("CAstore", "no certificate in %s", value)
	}
	return append(all, certs...), nil
}

// fileStore reads the certificates of a file: URI or a path: of a file, or of all files in
// a directory. What is added there later is not seen before a reload; CApath is for that.
func fileStore(value string) ([]*x509.Certificate, error) {
	path := value
	if len(value) >= 5 && strings.EqualFold(value[:5], "file:") {
		u, err := url.Parse(value)
		if err != nil {
			return nil, err
		}
		path = u.Path
		if filepath.VolumeName(strings.TrimPrefix(path, "/")) != "" {
			path = path[1:] // file:///C:/DIRECTORY
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		certs, rejecting, err := directoryCertificates(path)
		if err == nil && rejecting != "" {
			err = errRejecting(rejecting)
		}
		return certs, err
	}
	blocks, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	if len(blocks.rejected) > 0 {
		return nil, errRejecting(path)
	}
	var certs []*x509.Certificate
	for _, der := range blocks.certs {
		if c, err := x509.ParseCertificate(der); err == nil {
			certs = append(certs, c)
		}
	}
	return certs, nil
}

// errRejecting is the error of a store that would trust a certificate in spite of a distrust.
func errRejecting(path string) error {
	return fmt.Errorf("%s has certificates that are marked as rejected, which CAfile and CApath take alone", path)
}
