// Package pbes2 decrypts private keys in the form that "openssl pkcs8 -topk8",
// "openssl genpkey" and "openssl pkey" write: EncryptedPrivateKeyInfo of RFC 5958
// section 3 with the second scheme of PKCS #5 (RFC 8018 section 6.2).
//
// The key derivation is PBKDF2 or scrypt (RFC 7914), the cipher AES or Triple DES in CBC
// mode. What a file may make the derivation cost is bounded: see the limits.
package pbes2

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// ErrPassphrase says that the passphrase is wrong, or the file damaged: CBC's padding is
// all there is to tell by. One wrong passphrase in 256 gets past it; then the caller
// finds no key in what came out.
var ErrPassphrase = errors.New("wrong passphrase")

// An UnsupportedError names what a file uses and this package has not.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string { return "unsupported algorithm: " + e.What }

func unsupported(kind string, oid asn1.ObjectIdentifier) error {
	return &UnsupportedError{fmt.Sprintf("%s %v", kind, oid)}
}

var (
	oidPBES2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	oidAES128CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oid3DESCBC   = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
)

// An encrypted is EncryptedPrivateKeyInfo.
type encrypted struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// Parameters are PBES2-params.
type parameters struct {
	Derivation pkix.AlgorithmIdentifier
	Cipher     pkix.AlgorithmIdentifier
}

// Decrypt gives the PrivateKeyInfo (PKCS #8) that is in der.
func Decrypt(der, passphrase []byte) ([]byte, error) {
	var e encrypted
	if err := unmarshal(der, &e); err != nil {
		return nil, fmt.Errorf("parsing an encrypted key: %w", err)
	}
	if !e.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, unsupported("encryption", e.Algorithm.Algorithm)
	}
	var p parameters
	if err := unmarshal(e.Algorithm.Parameters.FullBytes, &p); err != nil {
		return nil, fmt.Errorf("parsing PBES2 parameters: %w", err)
	}
	size, block, err := chooseCipher(p.Cipher.Algorithm)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if err := unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, fmt.Errorf("parsing the cipher's parameters: %w", err)
	}
	key, err := derive(p.Derivation, passphrase, size)
	if err != nil {
		return nil, err
	}
	b, err := block(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != b.BlockSize() {
		return nil, fmt.Errorf("initialization vector of %d bytes, want %d", len(iv), b.BlockSize())
	}
	return decryptCBC(b, iv, e.Data)
}

func chooseCipher(oid asn1.ObjectIdentifier) (size int, block func([]byte) (cipher.Block, error), err error) {
	switch {
	case oid.Equal(oidAES128CBC):
		return 16, aes.NewCipher, nil
	case oid.Equal(oidAES192CBC):
		return 24, aes.NewCipher, nil
	case oid.Equal(oidAES256CBC):
		return 32, aes.NewCipher, nil
	case oid.Equal(oid3DESCBC):
		return 24, des.NewTripleDESCipher, nil
	}
	return 0, nil, unsupported("cipher", oid)
}

// decryptCBC takes the padding off too (RFC 8018 section 6.1.1, step 4).
func decryptCBC(b cipher.Block, iv, data []byte) ([]byte, error) {
	if len(data) == 0 || len(data)%b.BlockSize() != 0 {
		return nil, fmt.Errorf("%d encrypted bytes are no whole blocks", len(data))
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(b, iv).CryptBlocks(plain, data)
	n := int(plain[len(plain)-1])
	if n == 0 || n > b.BlockSize() {
		return nil, ErrPassphrase
	}
	for _, c := range plain[len(plain)-n:] {
		if int(c) != n {
			return nil, ErrPassphrase
		}
	}
	return plain[:len(plain)-n], nil
}

func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes too many", len(rest))
	}
	return nil
}
