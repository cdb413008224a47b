package tlsconf

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemRoots reads the certificates that Windows trusts, without those that it distrusts
// as well. What else it may know of a root, such as uses that it is confined to, is not in
// the certificate and does not count, as in OpenSSL's store of this name.
func systemRoots() ([]*x509.Certificate, error) {
	roots, err := systemStore("ROOT")
	if err != nil {
		return nil, err
	}
	distrusted, err := systemStore("Disallowed")
	if err != nil {
		return nil, err
	}
	rejected := make(map[string]bool, len(distrusted))
	for _, der := range distrusted {
		rejected[string(der)] = true
	}
	var certs []*x509.Certificate
	for _, der := range roots {
		if c, err := x509.ParseCertificate(der); err == nil && !rejected[string(der)] {
			certs = append(certs, c)
		}
	}
	return certs, nil
}

// systemStore reads the certificates of one of Windows' stores, as DER.
func systemStore(name string) ([][]byte, error) {
	wide, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	store, err := windows.CertOpenSystemStore(0, wide)
	if err != nil {
		return nil, fmt.Errorf("opening Windows' store %s: %w", name, err)
	}
	defer windows.CertCloseStore(store, 0)
	var all [][]byte
	var cert *windows.CertContext // each is freed where the next is asked for
	for {
		cert, err = windows.CertEnumCertificatesInStore(store, cert)
		if cert == nil {
			break
		}
		all = append(all, bytes.Clone(unsafe.Slice(cert.EncodedCert, cert.Length)))
	}
	if !errors.Is(err, syscall.Errno(windows.CRYPT_E_NOT_FOUND)) {
		return nil, fmt.Errorf("reading Windows' store %s: %w", name, err)
	}
	return all, nil
}
