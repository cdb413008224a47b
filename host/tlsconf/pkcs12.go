package tlsconf

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
	"github.com/stunnel-wasm/stunnel-wasm/host/pbes2"
)

// looksLikePKCS12 recognizes a PFX by its content (RFC 7292 section 4), as stunnel does
// since OpenSSL 1.1.1: a SEQUENCE of version 3 and a ContentInfo.
func looksLikePKCS12(data []byte) bool {
	var pfx struct {
		Version  int
		AuthSafe struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue `asn1:"optional,explicit,tag:0"`
		}
		MAC asn1.RawValue `asn1:"optional"`
	}
	_, err := asn1.Unmarshal(data, &pfx)
	return err == nil && pfx.Version == 3
}

// openPKCS12 reads certificates and key of a PKCS #12 file. Nobody is asked for a
// passphrase where the empty one fits.
func (l *loader) openPKCS12(option, path string, data []byte) (*material, *config.Error) {
	if n := iterations(data, 0); n > pbes2.MaxIterations {
		return nil, l.service.Errorf(option, "%s: PKCS #12: %d iterations of its key derivation, more than %d", path, n, pbes2.MaxIterations).
			WithHint("write it anew: openssl pkcs12 -export -iter 100000")
	}
	m := &material{option: option, name: path, pkcs12: true}
	try := func(secret []byte) error { return m.decodePKCS12(data, string(secret)) }
	err := try(nil)
	if errors.Is(err, passphrase.ErrWrong) {
		err = l.unlock(path, try)
	}
	if err != nil {
		return nil, l.unreadable(m, "", err)
	}
	l.context.warnInsecure(path)
	return m, nil
}

func (m *material) decodePKCS12(data []byte, secret string) error {
	key, leaf, issuers, err := pkcs12.DecodeChain(data, secret)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption),
		err != nil && strings.HasSuffix(err.Error(), pkcs12.ErrDecryption.Error()): // of a key's own encryption it is not wrapped
		return passphrase.ErrWrong
	case err != nil:
		return fmt.Errorf("PKCS #12: %w", pkcs12Reason(err))
	}
	m.certs = nil
	for _, c := range append([]*x509.Certificate{leaf}, issuers...) {
		m.certs = append(m.certs, c.Raw)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return unusable(fmt.Sprintf("%T", key))
	}
	m.key = func() (crypto.Signer, error) { return signer, nil }
	return nil
}

// pkcs12Reason names the key's algorithm where that is what is wrong: the library gives
// crypto/x509's text, which ends in its number.
func pkcs12Reason(err error) error {
	text := err.Error()
	if _, oid, ok := strings.Cut(text, "unknown algorithm: "); ok {
		if name, ok := keyKinds[oid]; ok {
			return unusable(name)
		}
	}
	if strings.Contains(text, "unknown elliptic curve") {
		return unusable("ECDSA on a curve that TLS does not use")
	}
	return errors.New(strings.TrimPrefix(text, "pkcs12: "))
}
