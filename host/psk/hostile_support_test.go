package psk

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A peer is a hand-made one: it sends what it likes, and sees the alert that comes back.
type peer struct {
	net.Conn
	*record.Reader
	*record.Writer
}

// say sends one record.
func (p *peer) say(t testing.TB, typ record.Type, content []byte) {
	t.Helper()
	if err := errors.Join(p.Append(typ, content), p.Flush()); err != nil {
		t.Fatal(err)
	}
}

// message reads a handshake message that is in one record, behind any change_cipher_spec.
func (p *peer) message(t testing.TB) []byte {
	t.Helper()
	for {
		typ, content, err := p.Next()
		if err != nil {
			t.Fatal(err)
		}
		if typ == record.Handshake {
			return bytes.Clone(content)
		}
	}
}

// wantAlert reads until the fatal alert that must come.
func (p *peer) wantAlert(t testing.TB, want record.AlertCode) {
	t.Helper()
	for {
		typ, content, err := p.Next()
		if err != nil {
			t.Errorf("no alert comes, but %v", err)
			return
		}
		if typ != record.Alert {
			continue
		}
		if len(content) != 2 || content[0] != levelFatal || content[1] != byte(want) {
			t.Errorf("alert %v, want %d", content, want)
		}
		return
	}
}

func newPeer(c net.Conn) *peer { return &peer{c, record.NewReader(c), record.NewWriter(c)} }

// A draft is a ClientHello in the making.
type draft struct {
	version     uint16
	session     []byte
	suites      []byte
	compression []byte
	extensions  []extension
	tail        []byte // behind everything
	random      []byte
	key         []byte // for the binder; nil: it stays as it is
	before      []byte // the transcript before it, for the binder
}

func (d *draft) set(id uint16, data ...byte) {
	for i := range d.extensions {
		if d.extensions[i].id == id {
			d.extensions[i].data = data
			return
		}
	}
	d.extensions = slices.Insert(d.extensions, 0, extension{id, data})
}

func (d *draft) get(id uint16) []byte {
	for _, e := range d.extensions {
		if e.id == id {
			return e.data
		}
	}
	return nil
}

func (d *draft) drop(id uint16) {
	d.extensions = slices.DeleteFunc(d.extensions, func(e extension) bool { return e.id == id })
}

func (d *draft) marshal(t testing.TB) []byte {
	t.Helper()
	m, err := message(typeClientHello, func(b *cryptobyte.Builder) {
		b.AddUint16(d.version)
		b.AddBytes(d.random)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(d.session) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(d.suites) })
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(d.compression) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, e := range d.extensions {
				addExtension(b, e.id, func(b *cryptobyte.Builder) { b.AddBytes(e.data) })
			}
		})
		b.AddBytes(d.tail)
	})
	if err != nil {
		t.Fatal(err)
	}
	if d.key != nil {
		var s schedule
		copy(m[len(m)-binderLen:], s.binder(s.early(d.key), slices.Concat(d.before, m[:len(m)-bindersTotal])))
	}
	return m
}

// newDraft takes apart what our client would send.
func newDraft(t testing.TB, c *Config) *draft {
	t.Helper()
	g := &greeting{config: c, random: random()}
	if _, high := c.versions(); high == tls.VersionTLS13 {
		g.session = random()
		public, _, err := exchange(tls.X25519, append([]byte{9}, make([]byte, 31)...))
		if err != nil {
			t.Fatal(err)
		}
		g.share = &share{tls.X25519, public}
	}
	raw, err := g.marshal()
	if err != nil {
		t.Fatal(err)
	}
	h, err := parseClientHello(raw)
	if err != nil {
		t.Fatal(err)
	}
	d := &draft{version: h.version, random: bytes.Repeat([]byte{7}, 32), session: h.session, compression: h.compression, extensions: h.extensions}
	for _, s := range h.suites {
		d.suites = append(d.suites, byte(s>>8), byte(s))
	}
	if h.offer != nil {
		d.key = aliceKey
	}
	return d
}

// greetServer sends a ClientHello to one of our servers and gives the peer and the end of
// the server's handshake.
func greetServer(t testing.TB, c *Config, hello []byte) (*peer, <-chan result) {
	t.Helper()
	a, b := testpeer.Pair(t)
	done := make(chan result, 1)
	go func() {
		s, err := serve(b, c)
		if err != nil {
			b.CloseWrite()
		}
		done <- result{s, err}
	}()
	p := newPeer(a)
	p.say(t, record.Handshake, hello)
	return p, done
}

// answerClient reads a client's hello and lets answer send what it likes. It gives what the
// client makes of it.
func answerClient(t testing.TB, c *Config, answer func(p *peer, hello *clientHello)) (*peer, <-chan error) {
	t.Helper()
	a, b := testpeer.Pair(t)
	done := make(chan error, 1)
	go func() {
		err := Client(a, c).Handshake()
		if err != nil {
			a.CloseWrite()
		}
		done <- err
	}()
	p := newPeer(b)
	hello, err := parseClientHello(p.message(t))
	if err != nil {
		t.Fatal(err)
	}
	answer(p, hello)
	return p, done
}

// goodAnswer is a ServerHello that a client goes on from.
func goodAnswer(version uint16, hello *clientHello) *serverHello {
	if version == tls.VersionTLS12 {
		return &serverHello{random: random(), suite: TLS_PSK_WITH_AES_128_GCM_SHA256, identity: -1, extended: true, secure: true}
	}
	return &serverHello{random: random(), session: hello.session, suite: tls.TLS_AES_128_GCM_SHA256, selected: tls.VersionTLS13, share: hello.shares[0]}
}

// askAgain makes a good answer a HelloRetryRequest for a share of a group.
func (h *serverHello) askAgain(group tls.CurveID) *serverHello {
	h.random, h.identity, h.share = retryRandom[:], -1, share{group: group}
	return h
}

// rawHello is a ServerHello with more extensions than a serverHello knows to send.
func rawHello(t testing.TB, h *serverHello, more ...extension) []byte {
	t.Helper()
	raw, err := h.marshal()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseServerHello(raw)
	if err != nil {
		t.Fatal(err)
	}
	m, err := message(typeServerHello, func(b *cryptobyte.Builder) {
		b.AddBytes(raw[messageHeader : messageHeader+2+32+1+len(h.session)+2+1])
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, e := range slices.Concat(parsed.extensions, more) {
				addExtension(b, e.id, func(b *cryptobyte.Builder) { b.AddBytes(e.data) })
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// shareOf is a key_share with one good share.
func shareOf(t testing.TB, group tls.CurveID) []byte {
	t.Helper()
	key, err := curve(group).GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	public := key.PublicKey().Bytes()
	n := len(public)
	return slices.Concat([]byte{byte((n + 4) >> 8), byte(n + 4), byte(group >> 8), byte(group), byte(n >> 8), byte(n)}, public)
}
