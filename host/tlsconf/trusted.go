package tlsconf

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

const (
	// maxNamedFiles is how many files of CApath are read for the names that clients are
	// told. Debian's /etc/ssl/certs has about 300.
	maxNamedFiles = 4096
	// maxNames bounds those names together, in bytes: TLS counts them with 16 bits, and a
	// request that is longer would end every handshake.
	maxNames = 60000
	// maxLists bounds CRLfile, in bytes. Revocation lists of 40 MB exist.
	maxLists = 256 << 20
)

// loadTrust reads what the Verifier trusts.
func (c *Context) loadTrust(s *config.Service, o Options) error {
	names, err := c.storedTrust(s, o)
	if err != nil {
		return err
	}
	if s.CAfile != "" {
		if c.listed, err = c.loadTrusted(s); err != nil {
			return err
		}
		names = append(names, c.listed...)
	}
	if len(names) > 0 {
		c.Verifier.SetTrusted(names)
	}
	if path := s.Trust.CApath; path != "" {
		certs, _, err := directoryCertificates(path)
		if err != nil {
			return s.Errorf("CApath", "%v", err)
		}
		// As in stunnel, although certificates may be put there later.
		if len(certs)+len(names) == 0 && s.Verifies() {
			return s.Errorf("CApath", "No trusted certificates found").
				WithHint("put certificates into %s and run openssl rehash on it", path)
		}
		if s.Verifies() && !holdsHashed(path, "") {
			c.Warnings = append(c.Warnings, fmt.Sprintf("CApath %s holds no file HHHHHHHH.N: run openssl rehash on it, nothing in it is found otherwise", path))
		}
		c.Verifier.SetDirectory(path)
		names = append(names, certs...)
	}
	c.nameAuthorities(s, names)
	if err := c.loadLists(s); err != nil {
		return err
	}
	for _, text := range s.Trust.CheckIP {
		if a, err := netip.ParseAddr(text); err != nil || a.Zone() != "" {
			c.Warnings = append(c.Warnings, fmt.Sprintf("checkIP %s is no IP address and matches none", text))
		}
	}
	return nil
}

func (c *Context) loadTrusted(s *config.Service) ([]*x509.Certificate, error) {
	blocks, err := readPEM(s.CAfile)
	if err != nil {
		return nil, withFormHint(s.Errorf("CAfile", "%v", err), s.CAfile)
	}
	var certs []*x509.Certificate
	for _, b := range blocks.certs {
		cert, err := x509.ParseCertificate(b)
		if err != nil {
			// OpenSSL skips what it cannot read; the chain that needs it will fail.
			c.Warnings = append(c.Warnings, fmt.Sprintf("CAfile %s: a certificate is skipped: %v", s.CAfile, err))
			continue
		}
		certs = append(certs, cert)
	}
	var rejected []*x509.Certificate
	for _, b := range blocks.rejected {
		cert, err := x509.ParseCertificate(b)
		if err != nil {
			return nil, s.Errorf("CAfile", "%s: a certificate that is rejected: %v", s.CAfile, err)
		}
		rejected = append(rejected, cert)
	}
	if blocks.limited > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("CAfile %s: trusted certificates that are limited to purposes are skipped: %d", s.CAfile, blocks.limited))
	}
	if len(certs) == 0 {
		return nil, withFormHint(s.Errorf("CAfile", "no certificate in %s", s.CAfile), s.CAfile)
	}
	c.Verifier.Reject(rejected)
	anchors := 0
	for _, cert := range certs {
		if verify.SelfSigned(cert) {
			anchors++
		}
	}
	if anchors == 0 && s.VerifyChain && s.Trust.CApath == "" && len(s.Trust.CAengine) == 0 && s.Trust.CAstore == "" {
		c.Warnings = append(c.Warnings, fmt.Sprintf("CAfile %s holds no self-signed certificate: no chain can end there", s.CAfile))
	}
	return certs, nil
}

// directoryCertificates gives the certificates of all files in a directory, whatever
// their names, as stunnel reads them to tell clients of, and the first file with one that is
// rejected. Others are skipped.
func directoryCertificates(dir string) (certs []*x509.Certificate, rejecting string, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	entries, err := f.ReadDir(maxNamedFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		// A link is followed; a FIFO, a device or a directory is not opened.
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		blocks, err := readPEM(path)
		if err != nil {
			continue
		}
		for _, b := range blocks.certs {
			if cert, err := x509.ParseCertificate(b); err == nil {
				certs = append(certs, cert)
			}
		}
		if len(blocks.rejected) > 0 && rejecting == "" {
			rejecting = path
		}
	}
	return certs, rejecting, nil
}

// holdsHashed tells whether a directory has a file by whose name something is looked up,
// as openssl rehash makes them. Without one it is mostly a directory that was never rehashed.
func holdsHashed(dir, infix string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return true // said elsewhere
	}
	defer f.Close()
	hashed := regexp.MustCompile(`^[0-9a-f]{8}\.` + infix + `[0-9]+$`)
	for {
		names, err := f.Readdirnames(maxNamedFiles)
		if slices.ContainsFunc(names, hashed.MatchString) {
			return true
		}
		if err != nil {
			return false
		}
	}
}

// nameAuthorities has a server tell clients which CAs it knows, each once. Where that is
// too long nothing is told, and a client offers what it has.
func (c *Context) nameAuthorities(s *config.Service, certs []*x509.Certificate) {
	if s.Client || len(certs) == 0 {
		return
	}
	pool, size := x509.NewCertPool(), 0
	seen := map[string]bool{}
	for _, cert := range certs {
		if name := string(cert.RawSubject); !seen[name] {
			seen[name] = true
			size += len(name) + 2
			pool.AddCert(cert)
		}
	}
	if size > maxNames {
		c.Warnings = append(c.Warnings, fmt.Sprintf("Service [%s]: %d names of trusted CAs are too many to tell clients", s.Name, len(seen)))
		return
	}
	c.Config.ClientCAs = pool
}

// loadLists reads CRLfile and names the directories of lists.
func (c *Context) loadLists(s *config.Service) error {
	t := &s.Trust
	if t.CRLfile == "" && t.CRLpath == "" {
		return nil
	}
	if !s.Verifies() {
		c.Warnings = append(c.Warnings, fmt.Sprintf("Service [%s] verifies no certificates: its revocation lists have no effect", s.Name))
	}
	var lists []*verify.RevocationList
	if t.CRLfile != "" {
		data, err := readBounded(t.CRLfile, maxLists)
		if err == nil {
			lists, err = verify.ParseRevocationLists(data)
		}
		if err != nil {
			return withFormHint(s.Errorf("CRLfile", "Failed to load %s revocation lookup file: %v", t.CRLfile, err), t.CRLfile)
		}
	}
	for _, l := range lists {
		if text := l.Outdated(time.Now()); text != "" {
			c.Warnings = append(c.Warnings, fmt.Sprintf("CRLfile %s: %s; peers of this issuer are refused until a reload finds a valid list", t.CRLfile, text))
		}
	}
	var directories []string
	if t.CRLpath != "" {
		if info, err := os.Stat(t.CRLpath); err != nil || !info.IsDir() {
			c.Warnings = append(c.Warnings, fmt.Sprintf("CRLpath %s is no directory: without its lists every peer is refused", t.CRLpath))
		} else if s.Verifies() && !holdsHashed(t.CRLpath, "r") {
			c.Warnings = append(c.Warnings, fmt.Sprintf("CRLpath %s holds no file HHHHHHHH.rN: run openssl rehash on it, nothing in it is found otherwise", t.CRLpath))
		}
		directories = append(directories, t.CRLpath)
	}
	if t.CApath != "" {
		directories = append(directories, t.CApath) // as OpenSSL does
	}
	c.Verifier.SetLists(lists, directories...)
	return nil
}
