package tlsconf

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// oidSignedData marks a PKCS #7 file, as Windows writes chains (RFC 2315, section 14).
var oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

// withFormHint says of a file in which nothing usable was found what it is, and which
// command makes what is wanted of it. Files are in PEM here, as in stunnel.
func withFormHint(e *config.Error, path string) *config.Error {
	data, err := readFile(path)
	if err != nil {
		return e
	}
	pem := "\n" + string(bytes.TrimSpace(data))
	has := func(kind string) bool { return bytes.Contains([]byte(pem), []byte("\n-----BEGIN "+kind+"-----")) }
	switch {
	case isDER(data, func(b []byte) error { _, err := x509.ParseCertificate(b); return err }):
		return e.WithHint("it is in DER; openssl x509 -inform DER -in %s -out FILE.pem makes PEM of it", path)
	case isDER(data, func(b []byte) error { _, err := x509.ParseRevocationList(b); return err }):
		return e.WithHint("it is in DER; openssl crl -inform DER -in %s -out FILE.pem makes PEM of it", path)
	case isDER(data, func(b []byte) error { _, err := x509.ParsePKCS8PrivateKey(b); return err }),
		isDER(data, func(b []byte) error { _, err := x509.ParsePKCS1PrivateKey(b); return err }),
		isDER(data, func(b []byte) error { _, err := x509.ParseECPrivateKey(b); return err }):
		return e.WithHint("it is in DER; openssl pkey -inform DER -in %s -out FILE.pem makes PEM of it", path)
	case isDER(data, isPKCS7):
		return e.WithHint("it is PKCS #7; openssl pkcs7 -inform DER -in %s -print_certs -out FILE.pem takes the certificates out", path)
	case has("PKCS7"):
		return e.WithHint("it is PKCS #7; openssl pkcs7 -in %s -print_certs -out FILE.pem takes the certificates out", path)
	case has("CERTIFICATE REQUEST"), has("NEW CERTIFICATE REQUEST"):
		return e.WithHint("it holds a request; name the certificate that the authority made of it")
	case verify.Unread(data) > 0:
		return e.WithHint("a line is damaged, or one file follows another without a line's end between them: look at the lines with BEGIN and END")
	}
	return e
}

// isDER tells whether a whole file is what parse reads.
func isDER(data []byte, parse func([]byte) error) bool {
	return len(data) > 0 && data[0] == 0x30 && parse(data) == nil
}

func isPKCS7(data []byte) error {
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(data, &info); err != nil {
		return err
	}
	if !info.Type.Equal(oidSignedData) {
		return asn1.StructuralError{Msg: "no signed data"}
	}
	return nil
}
