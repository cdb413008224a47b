package psk

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
)

// Bounds of an entry, in bytes, as stunnel has them.
const (
	MinSecret   = 16
	MaxSecret   = 256
	MaxIdentity = 256
)

// An Entry is one identity with its key.
type Entry struct {
	Identity string
	Secret   []byte
}

// Secrets are the keys that a side knows, by identity. They are never changed.
type Secrets struct {
	entries []tagged // by tag
	decoy   []byte   // MaxSecret bytes that nobody knows
	seed    []byte
	first   string
}

// A tagged entry is found by a keyed hash of its identity. Neither the order of the entries
// nor the time that a search takes tells a peer, who lacks the hash's key, anything of the
// identities that exist.
type tagged struct {
	tag [sha256.Size]byte
	Entry
}

// NewSecrets takes entries in the order of a file. An identity that is there twice is an
// error: which key was meant is anybody's guess.
func NewSecrets(entries []Entry) (*Secrets, error) {
	s := &Secrets{seed: make([]byte, sha256.Size), decoy: make([]byte, MaxSecret)}
	rand.Read(s.seed)
	rand.Read(s.decoy)
	for i, e := range entries {
		switch {
		case e.Identity == "" || len(e.Identity) > MaxIdentity:
			return nil, fmt.Errorf("identity %d has no length from 1 to %d", i+1, MaxIdentity)
		case len(e.Secret) < MinSecret || len(e.Secret) > MaxSecret:
			return nil, fmt.Errorf("key %d has no length from %d to %d bytes", i+1, MinSecret, MaxSecret)
		}
		s.entries = append(s.entries, tagged{s.tag(e.Identity), e})
	}
	slices.SortFunc(s.entries, func(a, b tagged) int { return bytes.Compare(a.tag[:], b.tag[:]) })
	for i := range s.entries[:max(len(s.entries)-1, 0)] {
		if s.entries[i].tag == s.entries[i+1].tag {
			// Without the name: in a file with its columns swapped it is a key.
			return nil, errors.New("an identity is there twice")
		}
	}
	if len(entries) > 0 {
		s.first = entries[0].Identity
	}
	return s, nil
}

// Len is how many identities there are.
func (s *Secrets) Len() int { return len(s.entries) }

// First is the identity that stood first.
func (s *Secrets) First() string { return s.first }

// Has says whether there is an identity. It is for our own configuration's: its time tells.
func (s *Secrets) Has(identity string) bool {
	_, ok := s.find(identity)
	return ok
}

func (s *Secrets) tag(identity string) (t [sha256.Size]byte) {
	m := hmac.New(sha256.New, s.seed)
	m.Write([]byte(identity))
	m.Sum(t[:0])
	return t
}

// find gives the key of an identity, or a decoy, which nobody knows, and whether there is the
// identity. Both take the same steps, and so does what is done with the key: the decoy is as
// long as the key of the entry where the identity would be, which without the hash's key is
// any one.
func (s *Secrets) find(identity string) (secret []byte, known bool) {
	if len(s.entries) == 0 {
		return s.decoy[:MinSecret], false
	}
	tag := s.tag(identity)
	// The last entry whose tag is not above the one sought, in as many steps for each.
	at := 0
	for n := s.Len(); n > 1; {
		half := n / 2
		if bytes.Compare(s.entries[at+half].tag[:], tag[:]) <= 0 {
			at += half
		}
		n -= half
	}
	own := s.entries[at].Secret
	same := subtle.ConstantTimeCompare(s.entries[at].tag[:], tag[:])
	return [2][]byte{s.decoy[:len(own)], own}[same], same == 1
}
