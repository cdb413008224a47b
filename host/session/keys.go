package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"
)

// Labels of what is derived and sealed. Another form of tickets takes another version,
// and cannot be mistaken for this one.
const (
	labelSecrets  = "stunnel-wasm sessions v1"
	labelTicket   = "ticket"
	labelSessiond = "sessiond"
	labelSeal     = "seal"
	labelID       = "id"
	labelName     = "name"
)

const (
	keyNameSize = 4  // names the key of a sealed text
	saltSize    = 16 // makes the key of each text another one
	gcmOverhead = 12 + 16
	overhead    = keyNameSize + saltSize + gcmOverhead
)

// Random keys take turns: a key that is stolen opens the sessions of its time alone. The
// turn is the timeout within these bounds. A key that had its turn is forgotten when the
// last session under it is over, which for crypto/tls is after a week at most; so there
// are maxLife/minTurn keys at most, and eight with turns of a day.
const (
	minTurn = time.Hour
	maxTurn = 24 * time.Hour
	maxLife = 7 * 24 * time.Hour
)

// Secrets are ticketKeySecret and ticketMacSecret, 16 or 32 bytes each.
type Secrets struct {
	Key, MAC []byte
}

// keys are what one root key gives a service.
type keys struct {
	name    [keyNameSize]byte // in the clear, to find the key without trying all
	sealKey [32]byte
	idKey   [32]byte
	made    time.Time
}

// derive makes a service's keys: those of another service are others, whatever root
// they share, so that none opens the other's sessions.
func derive(root []byte, service string, made time.Time) *keys {
	expand := func(label string, to []byte) {
		out, err := hkdf.Expand(sha256.New, root, label+"\x00"+service, len(to))
		if err != nil {
			panic(err) // a length that HKDF cannot give
		}
		copy(to, out)
	}
	k := &keys{made: made}
	expand(labelName, k.name[:])
	expand(labelSeal, k.sealKey[:])
	expand(labelID, k.idKey[:])
	return k
}

// root is the one key that both secrets make. Their lengths are in it, so that no bytes
// move from one to the other unseen.
func (s *Secrets) root() []byte {
	both := slices.Concat([]byte{byte(len(s.Key))}, s.Key, s.MAC)
	root, err := hkdf.Extract(sha256.New, both, []byte(labelSecrets))
	if err != nil {
		panic(err) // of HKDF with SHA-256 never
	}
	return root
}

// A ring is a service's random keys, the newest first.
type ring struct {
	mu   sync.Mutex
	keys []*keys
}

// all gives the keys that are good at a time, the one to seal with first.
func (r *ring) all(service string, now time.Time, timeout time.Duration) []*keys {
	turn, life := min(max(timeout, minTurn), maxTurn), min(timeout, maxLife)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.keys) == 0 || now.Sub(r.keys[0].made) >= turn {
		root := make([]byte, 32)
		rand.Read(root)
		// A new slice: others read the old one.
		r.keys = append([]*keys{derive(root, service, now)}, r.keys...)
	}
	n := len(r.keys)
	for n > 1 && now.Sub(r.keys[n-2].made) > life {
		n-- // its successor came longer ago than any session lives
	}
	r.keys = r.keys[:n:n]
	return r.keys
}

// message gives the cipher of one sealed text. Its key comes from the salt, so that the
// number of texts under one secret, which may be in use for years, has no bound that
// matters; the nonce is GCM's own, random too.
func (k *keys) message(kind string, salt []byte) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, k.sealKey[:])
	mac.Write([]byte(kind))
	mac.Write(salt)
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts and authenticates a text. Kind and about are authenticated too.
func (k *keys) seal(kind string, about, text []byte) ([]byte, error) {
	out := make([]byte, keyNameSize+saltSize, overhead+len(text))
	copy(out, k.name[:])
	salt := out[keyNameSize:]
	rand.Read(salt)
	aead, err := k.message(kind, salt)
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, nil, text, about), nil
}

// errNotOurs is open's error for what was not sealed by one of the keys.
var errNotOurs = errors.New("not sealed by this service")

// open is seal's reverse, with whichever key did it.
func open(all []*keys, kind string, about, sealed []byte) ([]byte, error) {
	if len(sealed) < overhead {
		return nil, errNotOurs
	}
	for _, k := range all {
		if [keyNameSize]byte(sealed) != k.name {
			continue
		}
		aead, err := k.message(kind, sealed[keyNameSize:keyNameSize+saltSize])
		if err != nil {
			return nil, err
		}
		if text, err := aead.Open(nil, nil, sealed[keyNameSize+saltSize:], about); err == nil {
			return text, nil
		}
	}
	return nil, errNotOurs
}

// idSize is the length of a session's id: what sessiond's packets have room for.
const idSize = 32

// newID makes the id of a session. Half of it authenticates the other half, so that an
// id out of thin air is told apart without asking sessiond: a client cannot make the
// server send a packet, and wait for the answer, by inventing ids.
func (k *keys) newID() (id [idSize]byte) {
	rand.Read(id[:idSize/2])
	copy(id[idSize/2:], k.mark(id[:idSize/2]))
	return id
}

func (k *keys) mark(random []byte) []byte {
	mac := hmac.New(sha256.New, k.idKey[:])
	mac.Write(random)
	return mac.Sum(nil)[:idSize/2]
}

// madeID tells whether one of the keys made an id.
func madeID(all []*keys, id [idSize]byte) bool {
	return slices.ContainsFunc(all, func(k *keys) bool {
		return hmac.Equal(k.mark(id[:idSize/2]), id[idSize/2:])
	})
}
