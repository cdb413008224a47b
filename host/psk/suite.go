package psk

import (
	"cmp"
	"crypto/ecdh"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"hash"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// The suites of TLS 1.2 (RFC 5487, 7905, 8442). Suites with CBC are not here: their padding
// leaks by timing, and every peer that has them has GCM.
const (
	TLS_PSK_WITH_AES_128_GCM_SHA256             uint16 = 0x00a8
	TLS_PSK_WITH_AES_256_GCM_SHA384             uint16 = 0x00a9
	TLS_PSK_WITH_CHACHA20_POLY1305_SHA256       uint16 = 0xccab
	TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 uint16 = 0xccac
	TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256       uint16 = 0xd001
	TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384       uint16 = 0xd002
)

// A suite is a cipher suite.
type suite struct {
	id    uint16
	name  string // OpenSSL's, or made like its
	aead  record.AEAD
	hash  func() hash.Hash // of HKDF or PRF, and of the transcript
	ecdhe bool             // in TLS 1.2: an ephemeral exchange goes with the key
}

// approved says whether FIPS 140 has the suite's cipher.
func (s *suite) approved() bool { return s.aead != record.ChaCha20Poly1305 }

// suites13 are TLS 1.3's, the best first. External keys go with SHA-256 unless said
// otherwise (RFC 8446, section 4.2.11), and neither OpenSSL's nor our key files can say so:
// TLS_AES_256_GCM_SHA384 cannot be used with them.
var suites13 = []*suite{
	{tls.TLS_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", record.AES128GCM, sha256.New, true},
	{tls.TLS_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256", record.ChaCha20Poly1305, sha256.New, true},
}

// suites12 are TLS 1.2's, the best first: those whose sessions stay secret when the
// key gets known later are before those whose do not.
var suites12 = []*suite{
	{TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, "ECDHE-PSK-AES128-GCM-SHA256", record.AES128GCM, sha256.New, true},
	{TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384, "ECDHE-PSK-AES256-GCM-SHA384", record.AES256GCM, sha512.New384, true},
	{TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-PSK-CHACHA20-POLY1305", record.ChaCha20Poly1305, sha256.New, true},
	{TLS_PSK_WITH_AES_256_GCM_SHA384, "PSK-AES256-GCM-SHA384", record.AES256GCM, sha512.New384, false},
	{TLS_PSK_WITH_AES_128_GCM_SHA256, "PSK-AES128-GCM-SHA256", record.AES128GCM, sha256.New, false},
	{TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, "PSK-CHACHA20-POLY1305", record.ChaCha20Poly1305, sha256.New, false},
}

// SuiteNames gives the suites of TLS 1.2 by OpenSSL's names; OpenSSL lacks ECDHE-PSK with
// AES-GCM, whose names are like its others.
func SuiteNames() map[string]uint16 {
	names := map[string]uint16{}
	for _, s := range suites12 {
		names[s.name] = s.id
	}
	return names
}

func findSuite(list []*suite, id uint16) *suite {
	for _, s := range list {
		if s.id == id {
			return s
		}
	}
	return nil
}

// suiteOf gives a suite of either version, nil for one that is not here.
func suiteOf(id uint16) *suite { return cmp.Or(findSuite(suites13, id), findSuite(suites12, id)) }

// DefaultGroups are the groups of the ephemeral exchange, the best first.
var DefaultGroups = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}

// curve is the arithmetic of a group, nil for one that is not here.
func curve(g tls.CurveID) ecdh.Curve {
	switch g {
	case tls.X25519:
		return ecdh.X25519()
	case tls.CurveP256:
		return ecdh.P256()
	case tls.CurveP384:
		return ecdh.P384()
	case tls.CurveP521:
		return ecdh.P521()
	}
	return nil
}

// SuiteName gives a suite's name as OpenSSL prints it, empty for one that is not here.
func SuiteName(id uint16) string {
	if s := suiteOf(id); s != nil {
		return s.name
	}
	return ""
}

// Suites13 are the suites of TLS 1.3 that go with pre-shared keys.
func Suites13() []uint16 {
	var ids []uint16
	for _, s := range suites13 {
		ids = append(ids, s.id)
	}
	return ids
}

// Bits is the length of a suite's cipher key, 0 for one that is not here.
func Bits(id uint16) int {
	if s := suiteOf(id); s != nil {
		return 8 * s.aead.KeyLen()
	}
	return 0
}
