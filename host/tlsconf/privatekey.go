package tlsconf

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
	"github.com/stunnel-wasm/stunnel-wasm/host/pbes2"
)

// errUnusable is in the error about a key that crypto/tls cannot use, whatever its form.
var errUnusable = errors.New("RSA, ECDSA on P-224 to P-521, and Ed25519 keys can be used")

// encryptedPEM tells whether a private key needs a passphrase: in PKCS #8, or in the
// older way of RFC 1421 headers.
func encryptedPEM(p *pem.Block) bool {
	return p.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(p.Headers["Proc-Type"], "ENCRYPTED")
}

// decryptPEM gives a private key that a passphrase protects, or [passphrase.ErrWrong].
func decryptPEM(p *pem.Block, secret []byte) (crypto.Signer, error) {
	var der []byte
	var err error
	if p.Type == "ENCRYPTED PRIVATE KEY" {
		if der, err = pbes2.Decrypt(p.Bytes, secret); errors.Is(err, pbes2.ErrPassphrase) {
			return nil, passphrase.ErrWrong
		}
	} else {
		//lint:ignore SA1019 its weakness is the file's, and what other program reads it
		if der, err = x509.DecryptPEMBlock(p, secret); errors.Is(err, x509.IncorrectPasswordError) {
			return nil, passphrase.ErrWrong
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := parsePrivateKey(p.Type, der)
	if err != nil && !errors.Is(err, errUnusable) {
		// No key at all: one wrong passphrase in 256 gives bytes that look padded.
		return nil, passphrase.ErrWrong
	}
	return key, err
}

// parsePrivateKey reads a key in PKCS #1, SEC 1 or PKCS #8, whatever its label says.
func parsePrivateKey(label string, der []byte) (crypto.Signer, error) {
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if signer, ok := k.(crypto.Signer); err == nil && ok {
		return signer, nil
	}
	if name := keyKind(label, der); name != "" {
		return nil, unusable(name)
	}
	if err == nil {
		return nil, unusable(fmt.Sprintf("%T", k)) // for key agreement, such as X25519
	}
	return nil, err
}

func unusable(kind string) error {
	return fmt.Errorf("a key of kind %s cannot be used: %w", kind, errUnusable)
}

// keyKinds names what crypto/tls has no signatures for.
var keyKinds = map[string]string{
	"1.3.101.110":           "X25519",
	"1.3.101.111":           "X448",
	"1.3.101.113":           "Ed448",
	"1.2.840.113549.1.1.10": "RSA-PSS",
	"1.2.840.10040.4.1":     "DSA",
	"1.2.840.113549.1.3.1":  "DH",
	"1.3.132.0.10":          "ECDSA on secp256k1",
	"1.3.36.3.3.2.8.1.1.7":  "ECDSA on brainpoolP256r1",
	"1.3.36.3.3.2.8.1.1.11": "ECDSA on brainpoolP384r1",
	"1.3.36.3.3.2.8.1.1.13": "ECDSA on brainpoolP512r1",
	"1.2.840.10045.3.1.1":   "ECDSA on P-192",
	"1.2.156.10197.1.301":   "SM2",
}

var oidEC = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

// keyKind names the algorithm of a key that cannot be parsed; empty: it is none that
// looks like a key.
func keyKind(label string, der []byte) string {
	if label == "DSA PRIVATE KEY" {
		return "DSA"
	}
	// PKCS #8 (RFC 5958 section 2); what follows the key does not matter.
	var info struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
		Rest      []asn1.RawValue `asn1:"optional,omitempty"`
	}
	if _, err := asn1.Unmarshal(der, &info); err == nil {
		if info.Algorithm.Algorithm.Equal(oidEC) {
			return curveKind(info.Algorithm.Parameters.FullBytes)
		}
		return kindOf(info.Algorithm.Algorithm)
	}
	// SEC 1 (RFC 5915 section 3).
	var sec1 struct {
		Version    int
		Key        []byte
		Parameters asn1.RawValue  `asn1:"optional,explicit,tag:0"`
		Public     asn1.BitString `asn1:"optional,explicit,tag:1"`
	}
	if _, err := asn1.Unmarshal(der, &sec1); err == nil && sec1.Version == 1 {
		return curveKind(sec1.Parameters.Bytes)
	}
	return ""
}

func curveKind(parameters []byte) string {
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(parameters, &oid); err != nil {
		return "ECDSA with explicit curve parameters"
	}
	switch oid.String() {
	case "1.2.840.10045.3.1.7", "1.3.132.0.33", "1.3.132.0.34", "1.3.132.0.35":
		return "" // the curve is no trouble, something else is
	}
	return kindOf(oid)
}

func kindOf(oid asn1.ObjectIdentifier) string {
	if name, ok := keyKinds[oid.String()]; ok {
		return name
	}
	return oid.String()
}
