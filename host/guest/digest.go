package guest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"slices"

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
	c.work(digestWork)
	return c.copyOut(string(c.digest(make, key, text)), 5)
}

// digest is the digest of a text, or with a key its HMAC.
func (n *negotiation) digest(make func() hash.Hash, key, text []byte) []byte {
	h := make()
	if len(key) > h.BlockSize() {
		n.hash(h, key) // as an HMAC does itself (RFC 2104, section 2), but in one go
		key = h.Sum(nil)
		h.Reset()
	}
	if len(key) > 0 {
		h = hmac.New(make, key)
	}
	n.hash(h, text)
	return h.Sum(nil)
}

// hash hashes in parts: Go hashes in code where a goroutine cannot be preempted, and a
// guest's whole memory in one go would have garbage collection wait, and everybody with it.
func (n *negotiation) hash(h hash.Hash, b []byte) {
	for part := range slices.Chunk(b, workPart) {
		n.workOn(part)
		h.Write(part)
	}
}
