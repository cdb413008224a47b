package psk

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
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

func newPeer(c net.Conn) *peer { return &peer{c, record.NewReader(c), record.NewWriter(c)} }

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

func TestHostileClientHello(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		bounds func(*Config)
		change func(d *draft)
		want   record.AlertCode
	}{
		{"pre_shared_key is not the last", only13, func(d *draft) { d.key = nil; d.extensions = append(d.extensions, extension{9999, nil}) }, record.IllegalParameter},
		{"an extension twice", only13, func(d *draft) { d.extensions = slices.Insert(d.extensions, 0, extension{extModes, []byte{1, 1}}) }, record.IllegalParameter},
		{"no modes", only13, func(d *draft) { d.drop(extModes) }, record.MissingExtension},
		{"psk_ke alone", only13, func(d *draft) { d.set(extModes, 1, 0) }, record.HandshakeFailure},
		{"empty modes", only13, func(d *draft) { d.set(extModes, 0) }, record.DecodeError},
		{"no key share extension", only13, func(d *draft) { d.drop(extKeyShare) }, record.MissingExtension},
		{"no groups", only13, func(d *draft) { d.drop(extGroups) }, record.MissingExtension},
		{"a share of a group that is not offered", only13, func(d *draft) { d.set(extGroups, 0, 2, 0, 23) }, record.IllegalParameter},
		{"two shares of a group", only13, func(d *draft) {
			one := d.get(extKeyShare)[2:]
			d.set(extKeyShare, slices.Concat([]byte{0, byte(2 * len(one))}, one, one)...)
		}, record.IllegalParameter},
		{"a share of zeros", only13, func(d *draft) {
			one := slices.Clone(d.get(extKeyShare))
			clear(one[6:])
			d.set(extKeyShare, one...)
		}, record.IllegalParameter},
		{"a share that is too short", only13, func(d *draft) { d.set(extKeyShare, 0, 6, 0, 29, 0, 2, 1, 1) }, record.IllegalParameter},
		{"compression", only13, func(d *draft) { d.compression = []byte{0, 1} }, record.IllegalParameter},
		{"no uncompressed", only12, func(d *draft) { d.compression = []byte{1} }, record.IllegalParameter},
		{"early data", only13, func(d *draft) { d.set(extEarlyData) }, record.UnsupportedExtension},
		{"no key", only13, func(d *draft) { d.key = nil; d.drop(extPreSharedKey) }, record.HandshakeFailure},
		{"a binder of zeros", only13, func(d *draft) { d.key = nil }, record.DecryptError},
		{"another key", only13, func(d *draft) { d.key = []byte("another key that is long") }, record.DecryptError},
		{"a binder that is cut", only13, func(d *draft) {
			d.key = nil
			b := slices.Clone(d.get(extPreSharedKey))
			b = b[:len(b)-1]
			b[len(b)-binderLen], b[len(b)-binderLen-1] = binderLen-1, binderLen
			d.set(extPreSharedKey, b...)
		}, record.DecodeError},
		{"more identities than binders", only13, func(d *draft) {
			b := d.get(extPreSharedKey)
			n := int(b[1])
			list := slices.Concat(b[2:2+n], b[2:2+n])
			d.set(extPreSharedKey, slices.Concat([]byte{0, byte(len(list))}, list, b[2+n:])...)
		}, record.DecodeError},
		{"an empty identity", only13, func(d *draft) {
			d.set(extPreSharedKey, slices.Concat([]byte{0, 6, 0, 0, 0, 0, 0, 0, 0, 33, 32}, make([]byte, 32))...)
		}, record.DecodeError},
		{"a long session ID", only13, func(d *draft) { d.session = make([]byte, 33) }, record.DecodeError},
		{"an odd list of suites", only13, func(d *draft) { d.suites = append(d.suites, 0) }, record.DecodeError},
		{"bytes behind it", only12, func(d *draft) { d.tail = []byte{0} }, record.DecodeError},
		{"an empty server name", only12, func(d *draft) { d.set(extServerName, 0, 3, 0, 0, 0) }, record.DecodeError},
		{"a server name with a NUL", only12, func(d *draft) { d.set(extServerName, 0, 6, 0, 0, 3, 'a', 0, 'b') }, record.DecodeError},
		{"no uncompressed points", only12, func(d *draft) { d.set(extPointFormats, 1, 1) }, record.IllegalParameter},
		{"no point formats", only12, func(d *draft) { d.set(extPointFormats, 0) }, record.DecodeError},
		{"no suites", only12, func(d *draft) { d.suites = nil }, record.DecodeError},
		{"no compression methods", only12, func(d *draft) { d.compression = nil }, record.DecodeError},
		{"no versions", only13, func(d *draft) { d.set(extVersions, 0) }, record.DecodeError},
		{"bytes behind versions", only13, func(d *draft) { d.set(extVersions, 2, 3, 4, 0) }, record.DecodeError},
		{"bytes behind modes", only13, func(d *draft) { d.set(extModes, 1, 1, 0) }, record.DecodeError},
		{"bytes behind shares", only13, func(d *draft) { d.set(extKeyShare, append(slices.Clone(d.get(extKeyShare)), 0)...) }, record.DecodeError},
		{"an empty share", only13, func(d *draft) { d.set(extKeyShare, 0, 4, 0, 29, 0, 0) }, record.DecodeError},
		{"extended_master_secret with a content", only12, func(d *draft) { d.set(extMasterSecret, 0) }, record.DecodeError},
		{"early data with a content", only13, func(d *draft) { d.set(extEarlyData, 0) }, record.DecodeError},
		{"no identities", only13, func(d *draft) {
			d.key = nil
			d.set(extPreSharedKey, slices.Concat([]byte{0, 0, 0, 33, 32}, make([]byte, 32))...)
		}, record.DecodeError},
		{"no binders", only13, func(d *draft) {
			d.key = nil
			b := d.get(extPreSharedKey)
			d.set(extPreSharedKey, append(slices.Clone(b[:2+int(b[1])]), 0, 0)...)
		}, record.DecodeError},
		{"bytes behind binders", only13, func(d *draft) {
			d.key = nil
			d.set(extPreSharedKey, append(slices.Clone(d.get(extPreSharedKey)), 0)...)
		}, record.DecodeError},
		{"more binders than identities", only13, func(d *draft) {
			d.key = nil
			b := d.get(extPreSharedKey)
			binder := append([]byte{32}, make([]byte, 32)...)
			d.set(extPreSharedKey, slices.Concat(b[:2+int(b[1])], []byte{0, 66}, binder, binder)...)
		}, record.DecodeError},
		{"two server names", only12, func(d *draft) { d.set(extServerName, 0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b') }, record.DecodeError},
		{"a server name that ends in a dot", only12, func(d *draft) { d.set(extServerName, 0, 5, 0, 0, 2, 'a', '.') }, record.DecodeError},
		{"renegotiation", only12, func(d *draft) { d.set(extRenegotiationInfo, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) }, record.DecodeError},
		{"a fallback", only12, func(d *draft) { d.suites = append(d.suites, scsvFallback>>8, scsvFallback&0xff) }, record.InappropriateFallback},
		{"no version of TLS", only13, func(d *draft) { d.version = 0x0403 }, record.ProtocolVersion},
		{"TLS 1.1", only12, func(d *draft) { d.version = 0x0302 }, record.ProtocolVersion},
		{"SSL 2", only12, func(d *draft) { d.version = 0x0002 }, record.ProtocolVersion},
		{"no extended master secret", only12, func(d *draft) { d.drop(extMasterSecret) }, record.HandshakeFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDraft(t, config(t, c.bounds))
			c.change(d)
			p, done := greetServer(t, config(t, nil), d.marshal(t))
			p.wantAlert(t, c.want)
			if r := <-done; r.err == nil {
				t.Error("the server has accepted it")
			}
		})
	}
}

// The same draft without a change gets an answer: what is refused above is refused for what
// was changed.
func TestDraftIsAnswered(t *testing.T) {
	t.Parallel()
	for _, bounds := range []func(*Config){only12, only13} {
		p, _ := greetServer(t, config(t, nil), newDraft(t, config(t, bounds)).marshal(t))
		if m := p.message(t); m[0] != typeServerHello {
			t.Errorf("a message of type %d", m[0])
		}
	}
	// What a server of TLS 1.2 answers depends on what it could do, and on what it was asked.
	for _, c := range []struct {
		name   string
		server func(*Config)
		change func(d *draft)
		marked bool // against a downgrade
		secure bool
	}{
		{"a server with TLS 1.3", nil, func(*draft) {}, true, true},
		{"a server without", only12, func(*draft) {}, false, true},
		{"a fallback to the server's best", only12, func(d *draft) { d.suites = append(d.suites, scsvFallback>>8, scsvFallback&0xff) }, false, true},
		{"no renegotiation_info", nil, func(d *draft) { d.drop(extRenegotiationInfo) }, true, false},
		{"its signalling value", nil, func(d *draft) { d.drop(extRenegotiationInfo); d.suites = append(d.suites, 0, scsvRenegotiation) }, true, true},
		{"no point formats", nil, func(d *draft) { d.drop(extPointFormats) }, true, true},
	} {
		d := newDraft(t, config(t, only12))
		c.change(d)
		p, _ := greetServer(t, config(t, c.server), d.marshal(t))
		typ, content, err := p.Next()
		if err != nil || typ != record.Handshake {
			t.Fatalf("%s: %d, %x, %v", c.name, typ, content, err)
		}
		h, err := parseServerHello(content)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if bytes.HasSuffix(h.random, downgrade) != c.marked || h.secure != c.secure || len(h.session) != 0 || !h.extended {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
	// The second of two identities is known.
	d := newDraft(t, config(t, only13))
	b := d.get(extPreSharedKey)
	n := int(b[1])
	list := slices.Concat([]byte{0, 3, 'e', 'v', 'e', 1, 2, 3, 4}, b[2:2+n])
	binder := slices.Concat([]byte{32}, make([]byte, 32))
	d.key = nil
	d.set(extPreSharedKey, slices.Concat([]byte{0, byte(len(list))}, list, []byte{0, 66}, binder, binder)...)
	m := d.marshal(t)
	var s schedule
	copy(m[len(m)-binderLen:], s.binder(s.early(aliceKey), m[:len(m)-2-2*33]))
	p, _ := greetServer(t, config(t, nil), m)
	answer, err := parseServerHello(p.message(t))
	if err != nil || answer.identity != 1 {
		t.Errorf("identity %+v, %v", answer, err)
	}
}

// TestHostileMessages has clients whose hello is good and whose next record is not.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	handshake := func(typ byte, n int) []byte {
		return append([]byte{typ, byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	for _, c := range []struct {
		name    string
		typ     record.Type
		content []byte
		want    record.AlertCode
	}{
		{"ClientHello again", record.Handshake, handshake(typeClientHello, 50), record.UnexpectedMessage},
		{"Finished at once", record.Handshake, handshake(typeFinished, 12), record.UnexpectedMessage},
		{"a certificate", record.Handshake, handshake(11, 3), record.UnexpectedMessage},
		{"HelloRequest", record.Handshake, handshake(typeHelloRequest, 0), record.UnexpectedMessage},
		{"KeyUpdate", record.Handshake, handshake(typeKeyUpdate, 1), record.UnexpectedMessage},
		{"an early change_cipher_spec", record.ChangeCipherSpec, []byte{1}, record.UnexpectedMessage},
		{"application data", record.ApplicationData, []byte("GET"), record.UnexpectedMessage},
		{"a huge message", record.Handshake, []byte{typeClientKeyExchange, 0xff, 0xff, 0xff}, record.DecodeError},
		{"an empty ClientKeyExchange", record.Handshake, handshake(typeClientKeyExchange, 0), record.DecodeError},
		{"a ClientKeyExchange without a share", record.Handshake, handshake(typeClientKeyExchange, 2), record.DecodeError},
		{"a share that is no point", record.Handshake, append([]byte{typeClientKeyExchange, 0, 0, 4, 0, 0, 1}, 5), record.IllegalParameter},
		{"an alert in parts", record.Alert, []byte{1}, record.UnexpectedMessage},
		{"an alert of no level", record.Alert, []byte{3, 80}, record.IllegalParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only12)).marshal(t))
			p.say(t, c.typ, c.content)
			p.wantAlert(t, c.want)
			if r := <-done; r.err == nil {
				t.Error("the server has accepted it")
			}
		})
	}
	t.Run("warnings without end", func(t *testing.T) {
		t.Parallel()
		p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only12)).marshal(t))
		for range maxIdle + 1 {
			p.say(t, record.Alert, []byte{levelWarning, 112})
		}
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
	for name, second := range map[string]record.Type{"an alert": record.Alert, "change_cipher_spec": record.ChangeCipherSpec} {
		t.Run(name+" within a message", func(t *testing.T) {
			t.Parallel()
			p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only12)).marshal(t))
			p.say(t, record.Handshake, []byte{typeClientKeyExchange, 0})
			p.say(t, second, []byte{levelWarning, 112}[:map[record.Type]int{record.Alert: 2, record.ChangeCipherSpec: 1}[second]])
			p.wantAlert(t, record.UnexpectedMessage)
			if r := <-done; r.err == nil || r.err.Error() != "tls: received unexpected record within a handshake message" {
				t.Error(r.err)
			}
		})
	}
	t.Run("something behind the hello", func(t *testing.T) {
		t.Parallel()
		hello := newDraft(t, config(t, only13)).marshal(t)
		p, done := greetServer(t, config(t, nil), append(hello, typeFinished))
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
	t.Run("in the clear once there are keys", func(t *testing.T) {
		t.Parallel()
		p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only13)).marshal(t))
		p.say(t, record.Handshake, handshake(typeFinished, 32))
		if r := <-done; r.err == nil || r.err.Error() != "local error: tls: unexpected message" {
			t.Errorf("the server says %v", r.err)
		}
	})
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

func TestHostileServerHello(t *testing.T) {
	t.Parallel()
	retry := func(h *serverHello) {
		h.random, h.identity, h.share = retryRandom[:], -1, share{group: tls.CurveP256}
	}
	for _, c := range []struct {
		name    string
		version uint16
		change  func(h *serverHello)
		want    record.AlertCode
	}{
		{"no key taken", tls.VersionTLS13, func(h *serverHello) { h.identity = -1 }, record.HandshakeFailure},
		{"another identity", tls.VersionTLS13, func(h *serverHello) { h.identity = 1 }, record.IllegalParameter},
		{"no key share", tls.VersionTLS13, func(h *serverHello) { h.share.group = 0 }, record.IllegalParameter},
		{"a share of another group", tls.VersionTLS13, func(h *serverHello) { h.share.group = tls.CurveP256 }, record.IllegalParameter},
		{"a share of zeros", tls.VersionTLS13, func(h *serverHello) { h.share.data = make([]byte, 32) }, record.IllegalParameter},
		{"another session ID", tls.VersionTLS13, func(h *serverHello) { h.session = nil }, record.IllegalParameter},
		{"a suite with SHA-384", tls.VersionTLS13, func(h *serverHello) { h.suite = tls.TLS_AES_256_GCM_SHA384 }, record.IllegalParameter},
		{"a suite of TLS 1.2", tls.VersionTLS13, func(h *serverHello) { h.suite = TLS_PSK_WITH_AES_128_GCM_SHA256 }, record.IllegalParameter},
		{"an extension of another message", tls.VersionTLS13, func(h *serverHello) { h.protocol = "x" }, record.UnsupportedExtension},
		{"version 1.1 selected", tls.VersionTLS13, func(h *serverHello) { h.selected = tls.VersionTLS11 }, record.IllegalParameter},
		{"a retry for the group that it has", tls.VersionTLS13, func(h *serverHello) { retry(h); h.share.group = tls.X25519 }, record.IllegalParameter},
		{"a retry for a group that was not offered", tls.VersionTLS13, func(h *serverHello) { retry(h); h.share.group = tls.CurveP521 }, record.IllegalParameter},
		{"a retry for nothing", tls.VersionTLS13, func(h *serverHello) { retry(h); h.share.group = 0 }, record.IllegalParameter},
		{"downgrade", tls.VersionTLS12, func(h *serverHello) { copy(h.random[24:], downgrade) }, record.IllegalParameter},
		{"downgrade to 1.1", tls.VersionTLS12, func(h *serverHello) { copy(h.random[24:], downgrade11) }, record.IllegalParameter},
		{"a suite with certificates", tls.VersionTLS12, func(h *serverHello) { h.suite = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 }, record.IllegalParameter},
		{"a suite of TLS 1.3 in TLS 1.2", tls.VersionTLS12, func(h *serverHello) { h.suite = tls.TLS_AES_128_GCM_SHA256 }, record.IllegalParameter},
		{"no extended master secret", tls.VersionTLS12, func(h *serverHello) { h.extended = false }, record.HandshakeFailure},
		{"no secure renegotiation", tls.VersionTLS12, func(h *serverHello) { h.secure = false }, record.HandshakeFailure},
		{"a protocol that nobody offered", tls.VersionTLS12, func(h *serverHello) { h.protocol = "x" }, record.UnsupportedExtension},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
				answer := goodAnswer(c.version, hello)
				c.change(answer)
				m, err := answer.marshal()
				if err != nil {
					t.Fatal(err)
				}
				p.say(t, record.Handshake, m)
			})
			p.wantAlert(t, c.want)
			if err := <-done; err == nil {
				t.Error("the client has accepted it")
			}
		})
	}
}

// TestHostileServer has servers whose ServerHello is good and what follows is not.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	message := func(typ byte, body ...byte) []byte { return append([]byte{typ, 0, 0, byte(len(body))}, body...) }
	keyExchange := func(kind byte, group tls.CurveID, tail ...byte) []byte {
		point := shareOf(t, group)[6:]
		return message(typeServerKeyExchange, slices.Concat([]byte{0, 0, kind, byte(group >> 8), byte(group), byte(len(point))}, point, tail)...)
	}
	for _, c := range []struct {
		name    string
		version uint16
		suite   uint16
		typ     record.Type
		content []byte
		want    record.AlertCode
	}{
		{"a certificate", tls.VersionTLS12, 0, record.Handshake, message(11, 0, 0, 0), record.UnexpectedMessage},
		{"ServerHello again", tls.VersionTLS12, 0, record.Handshake, message(typeServerHello, 3, 3), record.UnexpectedMessage},
		{"change_cipher_spec before the keys", tls.VersionTLS12, 0, record.ChangeCipherSpec, []byte{1}, record.UnexpectedMessage},
		{"a ServerHelloDone with content", tls.VersionTLS12, 0, record.Handshake, message(typeServerHelloDone, 1), record.DecodeError},
		{"something behind ServerHelloDone", tls.VersionTLS12, 0, record.Handshake, append(message(typeServerHelloDone), typeFinished), record.UnexpectedMessage},
		{"ServerHelloDone without the exchange", tls.VersionTLS12, TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, record.Handshake, message(typeServerHelloDone), record.UnexpectedMessage},
		{"an explicit curve", tls.VersionTLS12, TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, record.Handshake, message(typeServerKeyExchange, 0, 0, 1, 0, 29, 1, 9), record.IllegalParameter},
		{"an explicit curve with a good point", tls.VersionTLS12, TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, record.Handshake, keyExchange(1, tls.X25519), record.IllegalParameter},
		{"a good point of a group that was not offered", tls.VersionTLS12, TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, record.Handshake, keyExchange(3, tls.CurveP521), record.IllegalParameter},
		{"bytes behind the point", tls.VersionTLS12, TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, record.Handshake, keyExchange(3, tls.X25519, 0), record.DecodeError},
		{"bytes behind the hint", tls.VersionTLS12, 0, record.Handshake, message(typeServerKeyExchange, 0, 0, 1), record.DecodeError},
		{"a group that was not offered", tls.VersionTLS12, TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, record.Handshake, message(typeServerKeyExchange, 0, 0, 3, 0, 25, 1, 9), record.IllegalParameter},
		{"no point", tls.VersionTLS12, TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, record.Handshake, message(typeServerKeyExchange, 0, 0, 3, 0, 29, 1, 9), record.IllegalParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
				answer := goodAnswer(c.version, hello)
				if c.suite != 0 {
					answer.suite = c.suite
				}
				m, err := answer.marshal()
				if err != nil {
					t.Fatal(err)
				}
				p.say(t, record.Handshake, m)
				p.say(t, c.typ, c.content)
			})
			p.wantAlert(t, c.want)
			if err := <-done; err == nil {
				t.Error("the client has accepted it")
			}
		})
	}
	t.Run("two retries", func(t *testing.T) {
		t.Parallel()
		p, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
			for _, g := range []tls.CurveID{tls.CurveP256, tls.CurveP384} {
				m, err := (&serverHello{random: retryRandom[:], session: hello.session, suite: tls.TLS_AES_128_GCM_SHA256,
					selected: tls.VersionTLS13, share: share{group: g}, identity: -1}).marshal()
				if err != nil {
					t.Fatal(err)
				}
				p.say(t, record.Handshake, m)
			}
		})
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
}

// TestHostileAfterTheHandshake has a peer that has the key, and breaks the rules later.
func TestHostileAfterTheHandshake(t *testing.T) {
	t.Parallel()
	const update = typeKeyUpdate
	for _, c := range []struct {
		name   string
		bounds func(*Config)
		spoil  func(c *Conn) error // by the client, which has the lock
		want   string
	}{
		{"ClientHello", only12, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeClientHello, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 1 after the handshake: no renegotiation"},
		{"ClientHello, 1.3", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeClientHello, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 1 after the handshake"},
		{"a ticket of a client's", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeNewSessionTicket, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 4 after the handshake"},
		{"a key update of no kind", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 0, 0, 1, 2}) }, "tls: KeyUpdate asks for 2"},
		{"an empty key update", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 0, 0, 0}) }, "tls: malformed KeyUpdate"},
		{"a key update of two bytes", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 0, 0, 2, 0, 0}) }, "tls: malformed KeyUpdate"},
		{"HelloRequest of a client's", only12, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeHelloRequest, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 0 after the handshake: no renegotiation"},
		{"an alert of three bytes", only13, func(c *Conn) error { return c.out.Append(record.Alert, []byte{2, 80, 0}) }, "tls: received unexpected alert of 3 bytes"},
		{"two key updates in a record", only13, func(c *Conn) error {
			return c.out.Append(record.Handshake, []byte{update, 0, 0, 1, 0, update, 0, 0, 1, 0})
		}, "tls: received unexpected handshake data behind a KeyUpdate"},
		{"key updates without end", only13, func(c *Conn) error {
			for range maxIdle + 1 {
				if err := c.sendKeyUpdate(); err != nil {
					return err
				}
			}
			return nil
		}, "tls: received unexpected number of records without data"},
		{"empty records without end", only12, func(c *Conn) error {
			for range maxIdle + 1 {
				if err := c.out.Append(record.ApplicationData, nil); err != nil {
					return err
				}
			}
			return nil
		}, "tls: received unexpected number of records without data"},
		{"warnings without end", only12, func(c *Conn) error {
			for range maxIdle + 1 {
				if err := c.out.Append(record.Alert, []byte{levelWarning, 100}); err != nil {
					return err
				}
			}
			return nil
		}, "tls: received unexpected number of records without data"},
		{"data within a message", only13, func(c *Conn) error {
			return errors.Join(c.out.Append(record.Handshake, []byte{update, 0}), c.out.Append(record.ApplicationData, []byte("x")))
		}, "tls: received unexpected record within a handshake message"},
		{"change_cipher_spec", only12, func(c *Conn) error { return c.out.Append(record.ChangeCipherSpec, []byte{1}) }, "tls: received unexpected record type 20"},
		{"a huge message", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 1, 0, 0}) }, "tls: handshake message too long"},
		{"a warning in TLS 1.3", only13, func(c *Conn) error { return c.out.Append(record.Alert, []byte{levelWarning, 112}) }, "remote error: tls: unrecognized name"},
		{"a fatal alert", only12, func(c *Conn) error { return c.out.Append(record.Alert, []byte{levelFatal, 80}) }, "remote error: tls: internal error"},
		{"user_canceled as a fatal alert", only12, func(c *Conn) error { return c.out.Append(record.Alert, []byte{levelFatal, 90}) }, "remote error: tls: user canceled"},
		{"in the clear", only13, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{21, 3, 3, 0, 2, 1, 0})
			return err
		}, "local error: tls: unexpected message"},
		{"in the clear, 1.2", only12, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{21, 3, 3, 0, 2, 1, 0})
			return err
		}, "local error: tls: bad record MAC"},
		{"change_cipher_spec in the clear", only13, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{20, 3, 3, 0, 1, 1})
			return err
		}, "local error: tls: unexpected message"},
		{"forged", only13, func(c *Conn) error {
			_, err := c.Conn.Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...))
			return err
		}, "local error: tls: bad record MAC"},
		{"too long", only13, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{23, 3, 3, 0x41, 1})
			return err
		}, "tls: oversized record received with length 16641"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, server := connected(t, config(t, c.bounds), config(t, nil))
			client.out.Lock()
			if err := errors.Join(c.spoil(client), client.out.Flush()); err != nil {
				t.Fatal(err)
			}
			client.out.Unlock()
			for range 2 { // the error stays
				n, err := server.Read(make([]byte, 100))
				if n != 0 || err == nil || err.Error() != c.want {
					t.Errorf("%d bytes, %v, want %q", n, err, c.want)
				}
			}
			if _, err := server.Write([]byte("x")); err == nil {
				t.Error("the server writes on")
			}
			if strings.HasPrefix(c.want, "remote") {
				// Not even a close_notify may follow the peer's alert.
				server.Close()
				if rest, err := io.ReadAll(client.Conn); len(rest) > 0 || err != nil {
					t.Errorf("the client gets %x, %v", rest, err)
				}
				return
			}
			// The alert tells the peer, encrypted.
			var op *net.OpError
			if _, err := client.Read(make([]byte, 1)); !errors.As(err, &op) || op.Op != "remote error" {
				t.Errorf("the client reads %v", err)
			}
		})
	}
}

// What is to be ignored is, as long as data comes between (RFC 8446, sections 5.1 and 6.1).
func TestHarmlessRecords(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, only13), config(t, nil))
	for range 3 * maxIdle {
		c.out.Lock()
		err := errors.Join(c.out.Append(record.ApplicationData, nil), c.out.Append(record.Alert, []byte{levelWarning, byte(record.UserCanceled)}))
		c.out.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Read(make([]byte, 2)); n != 1 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
}

// TestTruncation cuts the connection after each record of a handshake.
func TestTruncation(t *testing.T) {
	t.Parallel()
	hello := newDraft(t, config(t, only13)).marshal(t)
	a, b := testpeer.Pair(t)
	a.Write(append([]byte{22, 3, 1, byte(len(hello) >> 8), byte(len(hello))}, hello[:20]...))
	a.CloseWrite()
	if _, err := serve(b, config(t, nil)); err != io.ErrUnexpectedEOF {
		t.Errorf("within the hello: %v", err)
	}
	for _, bounds := range []func(*Config){only12, only13} {
		p, done := greetServer(t, config(t, nil), newDraft(t, config(t, bounds)).marshal(t))
		p.Conn.(*net.TCPConn).CloseWrite()
		if r := <-done; r.err != io.EOF {
			t.Errorf("after the hello: %v", r.err)
		}
	}
}
