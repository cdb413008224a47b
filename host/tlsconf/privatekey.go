package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

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
