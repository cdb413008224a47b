package pbes2

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// MaxIterations is what a key file may ask of PBKDF2: some seconds. With one digit too many
// it would hold up the start for hours. OpenSSL writes 2,048, password managers up to a
// million.
const MaxIterations = 10_000_000

// What it may ask of scrypt; more could have the process killed for its memory.
const (
	maxScryptMemory = 64 << 20  // bytes; OpenSSL writes 16 MiB and reads no more than 32
	maxScryptCost   = 256 << 20 // bytes times passes
)

// pbkdf2Parameters are PBKDF2-params of RFC 8018 appendix A.2.
type pbkdf2Parameters struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// scryptParameters are those of RFC 7914 section 7.1.
type scryptParameters struct {
	Salt      []byte
	Cost      int
	BlockSize int
	Parallel  int
	KeyLength int `asn1:"optional"`
}

// derive makes a key of size bytes.
func derive(a pkix.AlgorithmIdentifier, passphrase []byte, size int) ([]byte, error) {
	switch {
	case a.Algorithm.Equal(oidPBKDF2):
		var p pbkdf2Parameters
		if err := unmarshal(a.Parameters.FullBytes, &p); err != nil {
			return nil, fmt.Errorf("parsing PBKDF2 parameters: %w", err)
		}
		prf, err := choosePRF(p.PRF.Algorithm)
		if err != nil {
			return nil, err
		}
		if p.Iterations < 1 || p.Iterations > MaxIterations {
			return nil, fmt.Errorf("%d PBKDF2 iterations, not 1 to %d", p.Iterations, MaxIterations)
		}
		if p.KeyLength != 0 && p.KeyLength != size {
			return nil, fmt.Errorf("derived key of %d bytes, want %d", p.KeyLength, size)
		}
		return pbkdf2.Key(prf, string(passphrase), p.Salt, p.Iterations, size)
	case a.Algorithm.Equal(oidScrypt):
		var p scryptParameters
		if err := unmarshal(a.Parameters.FullBytes, &p); err != nil {
			return nil, fmt.Errorf("parsing scrypt parameters: %w", err)
		}
		if err := p.check(size); err != nil {
			return nil, err
		}
		return scrypt.Key(passphrase, p.Salt, p.Cost, p.BlockSize, p.Parallel, size)
	}
	return nil, unsupported("key derivation", a.Algorithm)
}

func (p *scryptParameters) check(size int) error {
	if p.Cost < 2 || p.BlockSize < 1 || p.Parallel < 1 ||
		p.Cost > maxScryptMemory/128/p.BlockSize || p.Parallel > maxScryptCost/128/p.BlockSize/p.Cost {
		return fmt.Errorf("scrypt with N=%d, r=%d, p=%d is out of bounds: %d MiB of memory at most",
			p.Cost, p.BlockSize, p.Parallel, maxScryptMemory>>20)
	}
	if p.KeyLength != 0 && p.KeyLength != size {
		return fmt.Errorf("derived key of %d bytes, want %d", p.KeyLength, size)
	}
	return nil
}

// choosePRF gives the hash of HMAC; none named is SHA-1's.
func choosePRF(oid asn1.ObjectIdentifier) (func() hash.Hash, error) {
	if len(oid) == 0 {
		return sha1.New, nil
	}
	if digest := (asn1.ObjectIdentifier{1, 2, 840, 113549, 2}); len(oid) == 6 && oid[:5].Equal(digest) {
		switch oid[5] {
		case 7:
			return sha1.New, nil
		case 8:
			return sha256.New224, nil
		case 9:
			return sha256.New, nil
		case 10:
			return sha512.New384, nil
		case 11:
			return sha512.New, nil
		case 12:
			return sha512.New512_224, nil
		case 13:
			return sha512.New512_256, nil
		}
	}
	return nil, unsupported("PBKDF2 hash", oid)
}
