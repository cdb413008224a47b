package testpeer

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //lint:ignore SA1019 NTLM is made of it
)

// NTLM is a server of NTLM version 2 (MS-NLMP) that knows one user. It takes no older
// answers, and wants the messages' integrity code where the specification has one.
type NTLM struct {
	User, Password, Domain string
	// Time puts the time of day into the challenge, as Windows does.
	Time bool
	// Integrity refuses clients without an integrity code, which the specification wants
	// of them where the challenge has the time. curl and others do without.
	Integrity bool
	// Bare leaves the facts about the server out of the challenge, as old servers did.
	Bare bool
}

// Flags of NTLM (section 2.2.2.5) and facts about a target (section 2.2.2.1).
const (
	ntlmUnicode    = 1
	ntlmTarget     = 4
	ntlmNTLM       = 0x200
	ntlmSign       = 0x8000
	ntlmExtended   = 0x80000
	ntlmTargetInfo = 0x800000
	avEOL          = 0
	avComputer     = 1
	avDomain       = 2
	avFlags        = 6
	avTimestamp    = 7
	avFlagMIC      = 2
	micAt          = 72 // in the third message
)

var ntlmSignature = []byte("NTLMSSP\x00")

// NTLMKind is the number of a message, 0 for what is none.
func NTLMKind(message []byte) uint32 {
	if len(message) < 12 || !bytes.HasPrefix(message, ntlmSignature) {
		return 0
	}
	return binary.LittleEndian.Uint32(message[8:])
}

// Challenge makes the second message (section 2.2.1.2).
func (n *NTLM) Challenge() []byte {
	flags := uint32(ntlmUnicode | ntlmTarget | ntlmNTLM | ntlmSign | ntlmExtended)
	name := wide(n.Domain)
	var facts []byte
	if !n.Bare {
		flags |= ntlmTargetInfo
		facts = avPair(facts, avDomain, name)
		facts = avPair(facts, avComputer, wide("PROXY"))
		if n.Time {
			facts = avPair(facts, avTimestamp, binary.LittleEndian.AppendUint64(nil, windowsTime(time.Now())))
		}
		facts = avPair(facts, avEOL, nil)
	}
	const payload = 48
	m := binary.LittleEndian.AppendUint32(bytes.Clone(ntlmSignature), 2)
	m = field(m, len(name), payload)
	m = binary.LittleEndian.AppendUint32(m, flags)
	nonce := make([]byte, 8)
	_, _ = rand.Read(nonce) // which never fails
	m = append(append(m, nonce...), make([]byte, 8)...)
	m = field(m, len(facts), payload+len(name))
	return append(append(m, name...), facts...)
}

// Check verifies the third message (section 3.3.2), given the two before it.
func (n *NTLM) Check(negotiate, challenge, authenticate []byte) error {
	if NTLMKind(negotiate) != 1 || NTLMKind(authenticate) != 3 || len(authenticate) < 64 {
		return errors.New("messages out of order")
	}
	answer, err1 := piece(authenticate, 20)
	domain, err2 := piece(authenticate, 28)
	user, err3 := piece(authenticate, 36)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(authenticate[60:])&ntlmUnicode == 0 {
		return errors.New("no Unicode")
	}
	if !bytes.Equal(user, wide(n.User)) || len(domain) > 0 && !bytes.Equal(domain, wide(n.Domain)) {
		return fmt.Errorf("user %q of domain %q", user, domain)
	}
	if len(answer) < 16+28 || answer[16] != 1 || answer[17] != 1 {
		return fmt.Errorf("an answer of %d bytes is none of version 2", len(answer))
	}
	hash := md4.New()
	hash.Write(wide(n.Password))
	key := mac(hash.Sum(nil), wide(strings.ToUpper(n.User)), domain)
	proof := mac(key, challenge[24:32], answer[16:])
	if !hmac.Equal(proof, answer[:16]) {
		return errors.New("the proof is wrong")
	}
	facts, err := avPairs(answer[16+28:])
	if err != nil {
		return err
	}
	if flags := facts[avFlags]; len(flags) != 4 || flags[0]&avFlagMIC == 0 {
		if n.Integrity {
			return errors.New("no integrity code")
		}
		return nil
	}
	if len(authenticate) < micAt+16 {
		return errors.New("no room for an integrity code")
	}
	plain := bytes.Clone(authenticate)
	clear(plain[micAt : micAt+16])
	if !hmac.Equal(mac(mac(key, proof), negotiate, challenge, plain), authenticate[micAt:micAt+16]) {
		return errors.New("the integrity code is wrong")
	}
	return nil
}

// windowsTime counts from 1601 in steps of 100 nanoseconds.
func windowsTime(t time.Time) uint64 { return uint64(t.UnixMicro()*10 + 116444736000000000) }

func wide(text string) (out []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func field(m []byte, n, at int) []byte {
	m = binary.LittleEndian.AppendUint16(m, uint16(n))
	m = binary.LittleEndian.AppendUint16(m, uint16(n))
	return binary.LittleEndian.AppendUint32(m, uint32(at))
}

// piece gives what a field of a message points to.
func piece(m []byte, at int) ([]byte, error) {
	n, from := uint64(binary.LittleEndian.Uint16(m[at:])), uint64(binary.LittleEndian.Uint32(m[at+4:]))
	if from+n > uint64(len(m)) {
		return nil, fmt.Errorf("the field at %d points behind the message", at)
	}
	return m[from : from+n], nil
}

func avPair(to []byte, id uint16, value []byte) []byte {
	to = binary.LittleEndian.AppendUint16(to, id)
	to = binary.LittleEndian.AppendUint16(to, uint16(len(value)))
	return append(to, value...)
}

func avPairs(b []byte) (map[uint16][]byte, error) {
	all := map[uint16][]byte{}
	for len(b) >= 4 {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if id == avEOL {
			return all, nil
		}
		if len(b) < 4+n {
			break
		}
		all[id], b = b[4:4+n], b[4+n:]
	}
	return nil, errors.New("the facts about the server have no end")
}
