package record

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"hash"
	"math"

	"golang.org/x/crypto/chacha20poly1305"
)

// An AEAD is an authenticated cipher that TLS uses.
type AEAD int

// The AEADs of RFC 5288, RFC 7905 and RFC 8446, appendix B.4.
const (
	AES128GCM AEAD = iota + 1
	AES256GCM
	ChaCha20Poly1305
)

// nonceLen is the length of the nonce of each of them.
const nonceLen = 12

// KeyLen is the length of the cipher's key in bytes.
func (a AEAD) KeyLen() int {
	if a == AES128GCM {
		return 16
	}
	return 32
}

// FixedIVLen is how many bytes of a TLS 1.2 key block go into each nonce: the salt of GCM
// (RFC 5288, section 3), all of ChaCha20's nonce (RFC 7905, section 2).
func (a AEAD) FixedIVLen() int {
	if a == ChaCha20Poly1305 {
		return nonceLen
	}
	return 4
}

func (a AEAD) open(key []byte) (cipher.AEAD, error) {
	switch a {
	case AES128GCM, AES256GCM:
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		return cipher.NewGCM(block)
	case ChaCha20Poly1305:
		return chacha20poly1305.New(key)
	}
	return nil, errors.New("no such AEAD")
}

// ErrExhausted is what a Key gives that has protected as many records as it may.
var ErrExhausted = errors.New("tls: too many records under one key")

// Bounds of what one key protects, in records.
const (
	// lastSequence is the last number that a record may have: another one would bring the
	// first number back, and its nonce (RFC 8446, section 5.3; RFC 5246, section 6.1).
	lastSequence = math.MaxUint64
	// updateAfter is when a TLS 1.3 key should be replaced. AES-GCM keeps its margin for
	// 2^24.5 full records (RFC 8446, section 5.5).
	updateAfter = 1 << 24
)

// A Key protects the records of one direction under one key.
type Key struct {
	aead  cipher.AEAD
	iv    [nonceLen]byte
	seq   uint64 // of the next record
	spent bool   // lastSequence was used

	tls13    bool
	explicit int // bytes of the nonce that a record carries: 8 in TLS 1.2 with GCM

	// For TLS 1.3's key updates.
	kind   AEAD
	hash   func() hash.Hash
	secret []byte

	// Room for what a cipher.AEAD takes: on the stack they would escape at each record.
	nonce [nonceLen]byte
	extra [13]byte
}

// NewKey12 makes a TLS 1.2 key out of its parts of the key block (RFC 5246, section 6.3).
func NewKey12(a AEAD, key, iv []byte) (*Key, error) {
	if len(key) != a.KeyLen() || len(iv) != a.FixedIVLen() {
		return nil, errors.New("key or IV of a wrong length")
	}
	aead, err := a.open(key)
	if err != nil {
		return nil, err
	}
	k := &Key{aead: aead, kind: a}
	copy(k.iv[:], iv)
	if a != ChaCha20Poly1305 {
		k.explicit = nonceLen - len(iv)
	}
	return k, nil
}

// NewKey13 makes a TLS 1.3 key out of a traffic secret (RFC 8446, section 7.3), which it
// keeps and overwrites at an update. The hash is the cipher suite's.
func NewKey13(a AEAD, h func() hash.Hash, secret []byte) (*Key, error) {
	k := &Key{tls13: true, kind: a, hash: h, secret: secret}
	if err := k.derive(); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *Key) derive() error {
	key, err := ExpandLabel(k.hash, k.secret, "key", nil, k.kind.KeyLen())
	if err != nil {
		return err
	}
	iv, err := ExpandLabel(k.hash, k.secret, "iv", nil, nonceLen)
	if err != nil {
		return err
	}
	if k.aead, err = k.kind.open(key); err != nil {
		return err
	}
	copy(k.iv[:], iv)
	k.seq, k.spent = 0, false
	return nil
}

// Update goes on to the next generation of a TLS 1.3 key (RFC 8446, section 7.2), whose
// numbers start at 0 again: under another key and IV. After an error the key is unusable.
func (k *Key) Update() error {
	if !k.tls13 {
		return errors.New("TLS 1.2 keys have no update")
	}
	next, err := ExpandLabel(k.hash, k.secret, "traffic upd", nil, k.hash().Size())
	if err != nil {
		return err
	}
	clear(k.secret) // forward secrecy: what was sent under the old key stays secret
	k.secret = next
	return k.derive()
}

// Due says whether a TLS 1.3 key has protected so many records that its owner should
// tell the peer of an update.
func (k *Key) Due() bool { return k.tls13 && k.seq >= updateAfter }

// Overhead is how much longer than its content a record is, header included.
func (k *Key) Overhead() int {
	n := HeaderLen + k.explicit + k.aead.Overhead()
	if k.tls13 {
		n++ // the type
	}
	return n
}

// number puts the nonce of the next record together: IV XOR sequence number (RFC 8446,
// section 5.3; RFC 7905, section 2), or the salt and what the record carries (RFC 5288,
// section 3).
func (k *Key) number(explicit []byte) {
	k.nonce = k.iv
	if k.explicit > 0 {
		copy(k.nonce[nonceLen-k.explicit:], explicit)
		return
	}
	tail := k.nonce[nonceLen-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^k.seq)
}

// extra12 is what TLS 1.2 authenticates beside the content (RFC 5246, section 6.2.3.3).
func (k *Key) extra12(t Type, n int) []byte {
	b := binary.BigEndian.AppendUint64(k.extra[:0], k.seq)
	b = append(b, byte(t), legacyVersion>>8, legacyVersion&0xff)
	return binary.BigEndian.AppendUint16(b, uint16(n))
}

// advance counts a record.
func (k *Key) advance() {
	if k.seq == lastSequence {
		k.spent = true
		return
	}
	k.seq++
}

// Seal appends a record with the content to dst, header included. The content must not
// be longer than MaxPlaintext nor overlap dst's free room.
func (k *Key) Seal(dst []byte, t Type, content []byte) ([]byte, error) {
	if k.spent {
		return dst, ErrExhausted
	}
	if len(content) > MaxPlaintext {
		return dst, errors.New("content longer than a record")
	}
	start := len(dst)
	outer := t
	if k.tls13 {
		outer = ApplicationData // RFC 8446, section 5.2
	}
	dst = appendHeader(dst, outer, k.Overhead()-HeaderLen+len(content))
	if k.tls13 {
		body := len(dst)
		dst = append(append(dst, content...), byte(t))
		k.number(nil)
		header := append(k.extra[:0], dst[start:body]...)
		sealed := k.aead.Seal(dst[body:body], k.nonce[:], dst[body:], header)
		dst = append(dst[:body], sealed...)
	} else {
		explicit := len(dst)
		if k.explicit > 0 {
			// The sequence number: the one thing that cannot repeat (RFC 9325, section 7.2.1).
			dst = binary.BigEndian.AppendUint64(dst, k.seq)
		}
		k.number(dst[explicit:])
		dst = k.aead.Seal(dst, k.nonce[:], content, k.extra12(t, len(content)))
	}
	k.advance()
	return dst, nil
}

// Open decrypts a whole record, header included, in place and gives its type and content.
func (k *Key) Open(record []byte) (Type, []byte, error) {
	switch {
	case k.spent:
		return 0, nil, ErrExhausted
	case k.tls13 && len(record) > 0 && Type(record[0]) != ApplicationData:
		// A cleartext record once there are keys (RFC 8446, section 5.2): anybody on the way
		// could have made it.
		return 0, nil, &Error{Alert: UnexpectedMessage}
	case len(record) < k.Overhead():
		return 0, nil, &Error{Alert: BadRecordMAC}
	case k.tls13:
		return k.open13(record)
	}
	t, body := Type(record[0]), record[HeaderLen:]
	k.number(body[:k.explicit])
	body = body[k.explicit:]
	content, err := k.aead.Open(body[:0], k.nonce[:], body, k.extra12(t, len(body)-k.aead.Overhead()))
	if err != nil {
		return 0, nil, &Error{Alert: BadRecordMAC}
	}
	if len(content) > MaxPlaintext {
		return 0, nil, &Error{Alert: RecordOverflow}
	}
	k.advance()
	if len(content) == 0 && t != ApplicationData {
		return 0, nil, &Error{UnexpectedMessage, "record without content"} // RFC 5246, section 6.2.1
	}
	return t, content, nil
}

// open13 follows RFC 8446, section 5.2 and 5.4.
func (k *Key) open13(record []byte) (Type, []byte, error) {
	header, body := append(k.extra[:0], record[:HeaderLen]...), record[HeaderLen:]
	k.number(nil)
	inner, err := k.aead.Open(body[:0], k.nonce[:], body, header)
	if err != nil {
		return 0, nil, &Error{Alert: BadRecordMAC}
	}
	// The bound holds with the padding: without it a few bytes could come in records
	// beyond any limit.
	if len(inner) > MaxPlaintext+1 {
		return 0, nil, &Error{Alert: RecordOverflow}
	}
	k.advance()
	end := len(inner)
	for end > 0 && inner[end-1] == 0 {
		end--
	}
	if end == 0 {
		return 0, nil, &Error{UnexpectedMessage, "record of padding alone"}
	}
	t, content := Type(inner[end-1]), inner[:end-1]
	switch {
	case t == ChangeCipherSpec:
		// It exists in the clear only (RFC 8446, section 5).
		return 0, nil, &Error{UnexpectedMessage, "encrypted change_cipher_spec"}
	case len(content) == 0 && t != ApplicationData:
		return 0, nil, &Error{UnexpectedMessage, "record without content"}
	}
	return t, content, nil
}

func appendHeader(dst []byte, t Type, n int) []byte {
	dst = append(dst, byte(t), legacyVersion>>8, legacyVersion&0xff)
	return binary.BigEndian.AppendUint16(dst, uint16(n))
}
