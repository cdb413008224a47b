package psk

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// crypto/tls as a peer: its resumption in TLS 1.3 is the handshake with an external key,
// but for the label of the binder. The hash that it takes from the registry changes that
// label, under the early secret of the key of these tests alone.

// innerPad is how HMAC begins under that early secret; nil: no label is changed.
var innerPad atomic.Pointer[[sha256.BlockSize]byte]

// A relabelling hash is SHA-256 that may change "res binder" to "ext binder".
type relabelling struct {
	hash.Hash
	written bool
	active  bool
}

func (h *relabelling) Write(p []byte) (int, error) {
	pad := innerPad.Load()
	switch {
	case pad != nil && !h.written && bytes.Equal(p, pad[:]):
		h.active = true
	case h.active:
		if i := bytes.Index(p, []byte("tls13 res binder")); i >= 0 {
			changed := bytes.Clone(p)
			copy(changed[i:], "tls13 ext binder")
			if _, err := h.Hash.Write(changed); err != nil {
				return 0, err
			}
			return len(p), nil
		}
	}
	h.written = true
	return h.Hash.Write(p)
}

func (h *relabelling) Reset() {
	h.written, h.active = false, false
	h.Hash.Reset()
}

func (h *relabelling) Clone() (hash.Cloner, error) {
	inner, err := h.Hash.(hash.Cloner).Clone()
	if err != nil {
		return nil, err
	}
	return &relabelling{Hash: inner, written: h.written, active: h.active}, nil
}

// sessionState is a session of crypto/tls whose secret is the key, in its encoding. Its
// client side has some certificate, which nobody looks at.
func sessionState(t testing.TB, suite uint16, client bool) *tls.SessionState {
	t.Helper()
	var b cryptobyte.Builder
	b.AddUint16(tls.VersionTLS13)
	b.AddUint8(map[bool]uint8{true: 2, false: 1}[client])
	b.AddUint16(suite)
	if client {
		b.AddUint64(1 << 62) // long ago or far away: the age that it tells saturates
	} else {
		b.AddUint64(uint64(time.Now().Unix()))
	}
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(aliceKey) })
	b.AddUint24LengthPrefixed(nothing)
	b.AddUint8(0)
	b.AddUint8(0)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		if client {
			b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(someCertificate(t).Certificate[0]) })
			b.AddUint16LengthPrefixed(nothing)
		}
	})
	b.AddUint24LengthPrefixed(nothing)
	if client {
		b.AddUint64(uint64(time.Now().Add(24 * time.Hour).Unix()))
		b.AddUint32(0)
	}
	s, err := tls.ParseSessionState(b.BytesOrPanic())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func someCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

type oneSession struct{ s *tls.ClientSessionState }

func (o oneSession) Get(string) (*tls.ClientSessionState, bool) { return o.s, true }
func (o oneSession) Put(string, *tls.ClientSessionState)        {}

// TestCryptoTLS has crypto/tls at either end, with and without a HelloRetryRequest, and with
// another label.
func TestCryptoTLS(t *testing.T) {
	early, err := hkdf.Extract(sha256.New, aliceKey, make([]byte, sha256.Size))
	if err != nil {
		t.Fatal(err)
	}
	var pad [sha256.BlockSize]byte
	copy(pad[:], early)
	for i := range pad {
		pad[i] ^= 0x36 // HMAC's, RFC 2104
	}
	// The other tests are not running: this one is not parallel.
	crypto.RegisterHash(crypto.SHA256, func() hash.Hash { return &relabelling{Hash: sha256.New()} })
	defer crypto.RegisterHash(crypto.SHA256, sha256.New)
	for _, external := range []bool{true, false} {
		innerPad.Store(nil)
		if external {
			innerPad.Store(&pad)
		}
		for _, groups := range [][]tls.CurveID{{tls.X25519}, {tls.CurveP256}, {tls.CurveP384}} {
			t.Run(fmt.Sprintf("client external=%v %v", external, groups), func(t *testing.T) {
				state, err := tls.NewResumptionState([]byte(alice), sessionState(t, tls.TLS_AES_128_GCM_SHA256, true))
				if err != nil {
					t.Fatal(err)
				}
				a, b := testpeer.Pair(t)
				done := make(chan error, 1)
				var s *Conn
				go func() {
					var err error
					s, err = serve(b, config(t, func(c *Config) { c.Groups = groups }))
					done <- err
				}()
				c := tls.Client(a, &tls.Config{ServerName: "localhost", InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, ClientSessionCache: oneSession{state},
					CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384},
					VerifyConnection: func(cs tls.ConnectionState) error {
						if !cs.DidResume {
							return errors.New("the key was not taken")
						}
						return nil
					}})
				check(t, external, c.Handshake(), <-done, c, s)
			})
			t.Run(fmt.Sprintf("server external=%v %v", external, groups), func(t *testing.T) {
				a, b := testpeer.Pair(t)
				s := tls.Server(b, &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: groups,
					Certificates: []tls.Certificate{someCertificate(t)},
					UnwrapSession: func(identity []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
						if string(identity) != alice {
							return nil, nil
						}
						return sessionState(t, tls.TLS_AES_128_GCM_SHA256, false), nil
					},
					WrapSession: func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { return []byte("a ticket"), nil },
				})
				done := make(chan error, 1)
				go func() { done <- s.Handshake() }()
				c := Client(a, config(t, nil))
				check(t, external, c.Handshake(), <-done, c, s)
			})
		}
	}
}

// check wants a handshake to have succeeded, or to have failed at the binder.
func check(t *testing.T, good bool, client, server error, c, s net.Conn) {
	t.Helper()
	if !good {
		if client == nil || server == nil {
			t.Error("a binder for a ticket passes for one of an external key")
		}
		return
	}
	if client != nil || server != nil {
		t.Fatalf("client: %v; server: %v", client, server)
	}
	exchangeText(t, c, s)
}
