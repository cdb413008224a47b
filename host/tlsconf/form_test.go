package tlsconf

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestForms gives files in forms that people have, and looks for the command that makes
// PEM of them.
func TestForms(t *testing.T) {
	ca := issue(t, "ca", ecKey(t, elliptic.P256()), nil)
	signer := *ca.cert
	signer.KeyUsage, signer.SubjectKeyId = x509.KeyUsageCRLSign, []byte{1}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}, &signer, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(ca.key)
	if err != nil {
		t.Fatal(err)
	}
	p7, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidSignedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true}})
	if err != nil {
		t.Fatal(err)
	}
	pem := certPEM(ca)
	for _, c := range []struct{ name, text, want string }{
		{"DER", string(ca.cert.Raw), "openssl x509 -inform DER"},
		{"DER list", string(list), "openssl crl -inform DER"},
		{"DER key", string(key), "openssl pkey -inform DER"},
		{"PKCS #7", string(p7), "openssl pkcs7 -inform DER"},
		{"PKCS #7 in PEM", block("PKCS7", p7), "openssl pkcs7 -in"},
		{"request", block("CERTIFICATE REQUEST", []byte("x")), "a request"},
		{"two without a line's end", strings.TrimSpace(pem) + pem, "without a line's end"},
		{"damaged", strings.Replace(pem, "-----\n", "-----\n!", 1), "a line is damaged"},
	} {
		path := file(t, c.text)
		for option, edit := range map[string]func(*config.Service){
			"cert":    func(s *config.Service) { s.Cert, s.Key = []string{path}, []string{path} },
			"CAfile":  func(s *config.Service) { s.CAfile = path },
			"CRLfile": func(s *config.Service) { s.Trust.CRLfile = path },
		} {
			s := service("", "")
			edit(s)
			_, err := Build(s, Options{})
			var e *config.Error
			if !errors.As(err, &e) || !strings.Contains(e.Hint, c.want) {
				t.Errorf("%s as %s: %v, hint %q, want %q", c.name, option, err, e, c.want)
			}
		}
	}
}

// TestByteOrderMark trusts the first certificate of a file that an editor on Windows saved.
func TestByteOrderMark(t *testing.T) {
	ca := issue(t, "ca", ecKey(t, elliptic.P256()), nil)
	c, err := verifying(t, func(s *config.Service) { s.CAfile = file(t, "\xef\xbb\xbf"+certPEM(ca)) })
	if err != nil || c.Config.ClientCAs == nil {
		t.Errorf("%v, %v", c, err)
	}
}
