package relay

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Handshake and content types of RFC 8446 that the hand-made peer sends.
const (
	typeAlert       = 21
	typeHandshake   = 22
	typeApplication = 23
	keyUpdate       = 24
)

// A half is one direction of a TLS 1.3 connection with AES-128-GCM, so that a test
// can send what crypto/tls never would (RFC 8446, sections 5.2 and 7.3).
type half struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// label is HKDF-Expand-Label with an empty context.
func label(t testing.TB, secret []byte, name string, size int) []byte {
	t.Helper()
	name = "tls13 " + name
	info := append([]byte{0, byte(size), byte(len(name))}, name...)
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), size)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newHalf(t testing.TB, secret []byte) *half {
	t.Helper()
	block, err := aes.NewCipher(label(t, secret, "key", 16))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return &half{secret: secret, aead: aead, iv: label(t, secret, "iv", 12)}
}

// next is the half after a KeyUpdate (RFC 8446, section 7.2).
func (h *half) next(t testing.TB) *half { return newHalf(t, label(t, h.secret, "traffic upd", 32)) }

func (h *half) nonce() []byte {
	n := bytes.Clone(h.iv)
	seq := binary.BigEndian.AppendUint64(make([]byte, 4), h.seq)
	for i := range n {
		n[i] ^= seq[i]
	}
	h.seq++
	return n
}

// seal makes a record.
func (h *half) seal(kind byte, text string) string {
	inner := append([]byte(text), kind)
	n := len(inner) + h.aead.Overhead()
	head := []byte{typeApplication, 3, 3, byte(n >> 8), byte(n)}
	return string(h.aead.Seal(head, h.nonce(), inner, head))
}

// open reads a record.
func (h *half) open(t testing.TB, r io.Reader) (kind byte, text string) {
	t.Helper()
	head := make([]byte, recordHeader)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(head[3])<<8|int(head[4]))
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatal(err)
	}
	inner, err := h.aead.Open(nil, h.nonce(), body, head)
	if err != nil {
		t.Fatal(err)
	}
	inner = bytes.TrimRight(inner, "\x00")
	return inner[len(inner)-1], string(inner[:len(inner)-1])
}

// A keyLog catches the secrets of a connection.
type keyLog struct {
	sync.Mutex
	bytes.Buffer
}

func (k *keyLog) Write(p []byte) (int, error) {
	k.Lock()
	defer k.Unlock()
	return k.Buffer.Write(p)
}

// secret finds one by its name.
func (k *keyLog) secret(t testing.TB, name string) []byte {
	t.Helper()
	k.Lock()
	defer k.Unlock()
	for line := range strings.Lines(k.String()) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == name {
			secret, err := hex.DecodeString(f[2])
			if err == nil && len(secret) == sha256.Size {
				return secret
			}
			t.Fatalf("%s has %d bytes: not a suite with SHA-256", name, len(secret))
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// handMade starts a relay whose TLS peer, past its handshake, is the test itself.
// The relay sends no tickets, so that both directions start at their first record.
func handMade(t *testing.T, client bool) (r *rig, out, in *half) {
	t.Helper()
	log := &keyLog{}
	s := setup{client: client, own: &tls.Config{}, peer: &tls.Config{}}
	s.own.SessionTicketsDisabled, s.peer.SessionTicketsDisabled = true, true
	s.peer.KeyLogWriter = log
	r = s.start(t)
	if cs := r.peer.ConnectionState(); cs.CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		t.Fatalf("%s: the hand-made peer speaks AES-128 alone, as crypto/tls does where hardware has it", tls.CipherSuiteName(cs.CipherSuite))
	}
	own, peer := "SERVER_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0"
	if client {
		own, peer = peer, own
	}
	return r, newHalf(t, log.secret(t, peer)), newHalf(t, log.secret(t, own))
}

// ticket is a NewSessionTicket message (RFC 8446, section 4.6.1).
func ticket(size int) string {
	body := "\x00\x00\x1c\x20" + "\x01\x02\x03\x04" + "\x01\x00" +
		string([]byte{byte(size >> 8), byte(size)}) + strings.Repeat("t", size) + "\x00\x00"
	return string([]byte{4, 0, byte(len(body) >> 8), byte(len(body))}) + body
}

// Tickets in fragments end the connections of stunnel's client side.
func TestTicketsInFragmentsDoNotBreakAClient(t *testing.T) {
	for _, size := range []int{1, 7, 100} { // of a fragment
		r, out, in := handMade(t, true)
		message := ticket(200)
		var wire strings.Builder
		for i := 0; i < len(message); i += size {
			wire.WriteString(out.seal(typeHandshake, message[i:min(i+size, len(message))]))
		}
		wire.WriteString(out.seal(typeApplication, "data behind it"))
		for _, c := range []byte(wire.String()) { // byte by byte
			r.wire.Write([]byte{c})
		}
		want(t, r.plain, "data behind it")
		send(t, r.plain, "answer")
		if kind, text := in.open(t, r.wire); kind != typeApplication || text != "answer" {
			t.Errorf("fragments of %d: got %d %q", size, kind, text)
		}
		r.Stop()
		r.end(t)
		r.counts(t, 6, 14)
	}
}

func TestKeyUpdateAskedByThePeer(t *testing.T) {
	for _, client := range []bool{false, true} {
		r, out, in := handMade(t, client)
		for round := range 3 {
			// A header in one packet and the rest in another: a wait in between.
			update := out.seal(typeHandshake, string([]byte{keyUpdate, 0, 0, 1, 1}))
			send(t, r.wire, update[:4])
			send(t, r.wire, update[4:])
			out = out.next(t)
			kind, text := in.open(t, r.wire)
			if kind != typeHandshake || text != "\x18\x00\x00\x01\x00" {
				t.Fatalf("round %d: the update is answered with %d %q", round, kind, text)
			}
			in = in.next(t)
			send(t, r.wire, out.seal(typeApplication, "question"))
			want(t, r.plain, "question")
			send(t, r.plain, "answer")
			if _, text := in.open(t, r.wire); text != "answer" {
				t.Fatalf("round %d: got %q", round, text)
			}
		}
		r.Stop()
		r.end(t)
	}
}

// Records without data must neither end a connection nor reach the plain side.
func TestEmptyRecordsPass(t *testing.T) {
	r, out, _ := handMade(t, false)
	send(t, r.wire, out.seal(typeApplication, "")+out.seal(typeApplication, "")+out.seal(typeApplication, "data"))
	want(t, r.plain, "data")
	send(t, r.wire, out.seal(typeApplication, ""))
	send(t, r.wire, out.seal(typeAlert, "\x01\x00"))
	wantEOF(t, r.plain)
	r.plain.Close()
	if res := r.end(t); res != (Result{TLS: Closed, Plain: Closed}) {
		t.Errorf("ended with %+v", res)
	}
	r.counts(t, 0, 4)
}

// Many at once are an attack, which crypto/tls ends; a relay must not spin on it.
func TestEndlessEmptyRecordsEndTheConnection(t *testing.T) {
	r, out, _ := handMade(t, false)
	var wire strings.Builder
	for range 100 {
		wire.WriteString(out.seal(typeApplication, ""))
	}
	r.wire.Write([]byte(wire.String()))
	if res := r.end(t); res.TLS != Failed || !IsAlert(res.TLSErr) {
		t.Errorf("ended with %+v", res)
	}
}

func TestFatalAlertFromThePeer(t *testing.T) {
	r, out, _ := handMade(t, false)
	send(t, r.wire, out.seal(typeAlert, "\x02\x14")) // bad_record_mac
	if res := r.end(t); res.TLS != Failed || !IsAlert(res.TLSErr) {
		t.Errorf("ended with %+v", res)
	}
}

// A trickle writes byte by byte and counts the records that pass.
type trickle struct {
	net.Conn
	mu    sync.Mutex
	sizes []int
	left  int
	head  []byte
}

func (c *trickle) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, b := range p {
		if c.left > 0 {
			c.left--
		} else if c.head = append(c.head, b); len(c.head) == recordHeader {
			c.left = int(c.head[3])<<8 | int(c.head[4])
			c.sizes = append(c.sizes, c.left)
			c.head = c.head[:0]
		}
		if _, err := c.Conn.Write([]byte{b}); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// A server puts the client's certificate into its tickets: with a large one they
// span records. They arrive byte by byte, and must be good for resumption.
func TestLargeTicketsAreKept(t *testing.T) {
	cache := tls.NewLRUClientSessionCache(1)
	server := &tls.Config{ClientAuth: tls.RequireAnyClientCert, Certificates: []tls.Certificate{certificate(t, 0)}}
	own := &tls.Config{ClientSessionCache: cache, Certificates: []tls.Certificate{certificate(t, 20_000)}}
	var slow *trickle
	server.SetSessionTicketKeys([][32]byte{{1}}) // for both rounds
	s := setup{client: true, own: own, peer: server, wrap: func(c net.Conn) net.Conn {
		slow = &trickle{Conn: c}
		return slow
	}}
	for round := range 2 {
		r := s.start(t)
		send(t, r.peer, "x")
		want(t, r.plain, "x")
		if got := r.TLS.(*tls.Conn).ConnectionState().DidResume; got != (round == 1) {
			t.Errorf("round %d: resumed %v", round, got)
		}
		slow.mu.Lock()
		var largest int
		for _, n := range slow.sizes {
			largest = max(largest, n)
		}
		slow.mu.Unlock()
		if round == 0 && largest < 1<<14 {
			t.Errorf("the largest record had %d bytes: the ticket was not split", largest)
		}
		r.Stop()
		r.end(t)
	}
	if _, ok := cache.Get("localhost"); !ok {
		t.Error("no ticket was kept")
	}
}
