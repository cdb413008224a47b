package guest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"golang.org/x/crypto/md4" //lint:ignore SA1019 NTLM is made of it

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// digestWork is what a digest counts for, in instructions, beside what it reads.
const digestWork = 1000

// digests are the functions of digest, by abi.DigestAlg.
var digests = map[abi.DigestAlg]func() hash.Hash{
	abi.DigestMD4:    md4.New,
	abi.DigestMD5:    md5.New,
	abi.DigestSHA1:   sha1.New,
	abi.DigestSHA224: sha256.New224,
	abi.DigestSHA256: sha256.New,
	abi.DigestSHA384: sha512.New384,
	abi.DigestSHA512: sha512.New,
}

// doDigest is digest(alg, kptr, klen, ptr, len, buf, cap). A key of no bytes asks for
// the plain digest; an HMAC's empty key is the same as one zero byte (RFC 2104, section 2).
func (c call) doDigest() abi.Code {
	key, text := c.bytes(1), c.bytes(3)
	c.bytes(5)
	make, ok := digests[abi.DigestAlg(c.i32(0))]
	if !ok {
		return abi.Inval
	}
	// An instruction is charged for each byte, eight times what copying costs: hashing
	// takes about as much longer.
	c.work(digestWork)
	c.move((len(key) + len(text)) << movedShift)
	h := make()
	if len(key) > 0 {
		h = hmac.New(make, key)
	}
	h.Write(text)
	return c.copyOut(string(h.Sum(nil)), 5)
}
