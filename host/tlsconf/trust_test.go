package tlsconf

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// verifying is a server that verifies.
func verifying(t *testing.T, edit func(*config.Service)) (*Context, error) {
	t.Helper()
	own := issue(t, "own", ecKey(t, elliptic.P256()), nil)
	s := service(file(t, certPEM(own)+pkcs8(own.key)), "")
	s.RequestCert, s.RequireCert, s.VerifyChain = true, true, true
	edit(s)
	return Build(s, Options{})
}

// TestNamesOfDirectories has a server tell clients of what is in any file of CApath, once,
// and not stumble over what is no certificate.
func TestNamesOfDirectories(t *testing.T) {
	dir := t.TempDir()
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	for name, text := range map[string]string{"a.pem": certPEM(root), "b": certPEM(root), "README": "none", "c.0": block("CERTIFICATE", []byte("x"))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := verifying(t, func(s *config.Service) { s.Trust.CApath = dir })
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 the pool is not the system's
	if names := c.Config.ClientCAs.Subjects(); len(names) != 1 || string(names[0]) != string(root.cert.RawSubject) {
		t.Errorf("%d names", len(names))
	}
}

// TestTooManyNames has more names than a request for a certificate can hold: without any
// of them the handshake goes on.
func TestTooManyNames(t *testing.T) {
	var text strings.Builder
	key := ecKey(t, elliptic.P256())
	for i := range 300 {
		text.WriteString(certPEM(issue(t, fmt.Sprintf("%d%s", i, strings.Repeat("x", 250)), key, nil)))
	}
	server, err := verifying(t, func(s *config.Service) { s.CAfile, s.VerifyChain = file(t, text.String()), false })
	if err != nil {
		t.Fatal(err)
	}
	if server.Config.ClientCAs != nil || !strings.Contains(strings.Join(server.Warnings, "\n"), "300 names of trusted CAs are too many") {
		t.Errorf("warnings: %q", server.Warnings)
	}
	client := &tls.Config{InsecureSkipVerify: true, Certificates: server.Config.Certificates}
	if _, _, err := handshake(t, server.Config, client); err != nil {
		t.Error(err)
	}
}

func TestBadTrust(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		edit func(*config.Service)
		want string
	}{
		{func(s *config.Service) { s.Trust.CApath = empty }, "No trusted certificates found"},
		{func(s *config.Service) { s.Trust.CApath = "/nowhere" }, "/nowhere: no such file or directory"},
		{func(s *config.Service) { s.Trust.CRLfile = "/nowhere.crl" }, "Failed to load /nowhere.crl revocation lookup file"},
		{func(s *config.Service) { s.Trust.CRLfile = file(t, "none") }, "no revocation list in it"},
		{func(s *config.Service) { s.Trust.CRLfile = file(t, block("X509 CRL", []byte("x"))) }, "revocation lookup file: x509"},
	} {
		_, err := verifying(t, c.edit)
		fails(t, err, c.want)
	}
}

func TestTrustWarnings(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	for _, c := range []struct {
		edit func(*config.Service)
		want string
	}{
		{func(s *config.Service) { s.Trust.CheckIP = []string{"localhost"} }, "checkIP localhost is no IP address"},
		{func(s *config.Service) { s.Trust.CRLpath = "/nowhere" }, "CRLpath /nowhere is no directory"},
		{func(s *config.Service) { s.Trust.CRLpath, s.VerifyChain = t.TempDir(), false }, "its revocation lists have no effect"},
	} {
		context, err := verifying(t, func(s *config.Service) { s.CAfile = file(t, certPEM(root)); c.edit(s) })
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(context.Warnings, "\n"), c.want) {
			t.Errorf("warnings %q lack %q", context.Warnings, c.want)
		}
	}
}

// TestIdleTrust warns of what keeps every peer out and is no error: directories that were
// never rehashed, and lists that are over.
func TestIdleTrust(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), []byte(certPEM(root)), 0o600); err != nil {
		t.Fatal(err)
	}
	signer := *root.cert
	signer.KeyUsage, signer.SubjectKeyId = x509.KeyUsageCRLSign, []byte{1}
	now := time.Now()
	list := func(until time.Time) string {
		der := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-2 * time.Hour), NextUpdate: until}, &signer, root.key))
		return file(t, block("X509 CRL", der))
	}
	set := func(apath, crls, crl string) func(*config.Service) {
		return func(s *config.Service) {
			s.CAfile = file(t, certPEM(root))
			s.Trust.CApath, s.Trust.CRLpath, s.Trust.CRLfile = apath, crls, crl
		}
	}
	check := func(what string, edit func(*config.Service), want string) {
		t.Helper()
		c, err := verifying(t, edit)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(c.Warnings, "\n"); want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("%s: warnings %q, want %q", what, text, want)
		}
	}
	check("valid list", set("", "", list(now.Add(time.Hour))), "")
	check("list that is over", set("", "", list(now.Add(-time.Hour))), "CRL has expired: this update ")
	check("certificates without hashes", set(dir, "", ""), "CApath "+dir+" holds no file HHHHHHHH.N")
	check("lists without hashes", set("", dir, ""), "CRLpath "+dir+" holds no file HHHHHHHH.rN")
	for _, name := range []string{"0123abcd.0", "0123abcd.r0"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(certPEM(root)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check("hashes", set(dir, dir, ""), "")
}

// TestOwnValidity warns of a certificate that no peer takes any more, or yet.
func TestOwnValidity(t *testing.T) {
	key := ecKey(t, elliptic.P256())
	for want, from := range map[string]time.Duration{"has expired on": -2 * time.Hour, "is not valid before": time.Hour, "": -time.Minute} {
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(from + time.Hour)}
		der := must(x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key))
		c, err := Build(service(file(t, block("CERTIFICATE", der)+pkcs8(key)), ""), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(c.Warnings, "\n"); want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("from %v on: warnings %q, want %q", from, text, want)
		}
	}
}
