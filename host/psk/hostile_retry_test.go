package psk

import (
	"crypto/sha256"
	"crypto/tls"
	"slices"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// askedAgain is a client whose server wants a share of P-256, with the draft of the second hello
// that must come.
func askedAgain(t testing.TB) (*draft, *peer, <-chan result) {
	t.Helper()
	d := newDraft(t, config(t, nil))
	first := d.marshal(t)
	p, done := greetServer(t, config(t, func(c *Config) { c.Groups = []tls.CurveID{tls.CurveP256} }), first)
	request := p.message(t)
	if h, err := parseServerHello(request); err != nil || !h.retry() || h.share.group != tls.CurveP256 {
		t.Fatalf("%+v, %v", h, err)
	}
	sum := sha256.Sum256(first)
	d.before = slices.Concat([]byte{typeMessageHash, 0, 0, sha256.Size}, sum[:], request)
	d.set(extKeyShare, shareOf(t, tls.CurveP256)...)
	return d, p, done
}

// TestHostileSecondHello has clients that answer a HelloRetryRequest with another hello than
// theirs (RFC 8446, section 4.1.2), without the share, or with a binder over something else.
func TestHostileSecondHello(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(d *draft)
		want   record.AlertCode // CloseNotify: none
	}{
		{"as it must be", func(*draft) {}, record.CloseNotify},
		{"padded", func(d *draft) { d.set(extPadding, 0, 0, 0) }, record.CloseNotify},
		{"another random", func(d *draft) { d.random = make([]byte, 32) }, record.IllegalParameter},
		{"another version", func(d *draft) { d.version = tls.VersionTLS11 }, record.IllegalParameter},
		{"another session ID", func(d *draft) { d.session = d.session[1:] }, record.IllegalParameter},
		{"other suites", func(d *draft) { d.suites = d.suites[:2] }, record.IllegalParameter},
		{"a protocol", func(d *draft) { d.set(extALPN, 0, 2, 1, 'x') }, record.IllegalParameter},
		{"another server name", func(d *draft) { d.set(extServerName, 0, 4, 0, 0, 1, 'x') }, record.IllegalParameter},
		{"an extension less", func(d *draft) { d.drop(extPointFormats) }, record.IllegalParameter},
		{"other groups", func(d *draft) { d.set(extGroups, 0, 2, 0, 23) }, record.IllegalParameter},
		{"early data", func(d *draft) { d.set(extEarlyData) }, record.IllegalParameter},
		{"a cookie", func(d *draft) { d.set(extCookie, 0, 1, 1) }, record.IllegalParameter},
		{"the old share", func(d *draft) { d.set(extKeyShare, shareOf(t, tls.X25519)...) }, record.IllegalParameter},
		{"no share", func(d *draft) { d.set(extKeyShare, 0, 0) }, record.IllegalParameter},
		{"two shares", func(d *draft) {
			list := slices.Concat(d.get(extKeyShare)[2:], shareOf(t, tls.X25519)[2:])
			d.set(extKeyShare, append([]byte{0, byte(len(list))}, list...)...)
		}, record.IllegalParameter},
		{"a binder of the hello alone", func(d *draft) { d.before = nil }, record.DecryptError},
		{"a binder of both hellos without the request", func(d *draft) { d.before = d.before[:4+sha256.Size] }, record.DecryptError},
		{"another key", func(d *draft) { d.key = []byte("another key that is long") }, record.DecryptError},
		{"no key", func(d *draft) { d.key = nil; d.drop(extPreSharedKey) }, record.HandshakeFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, p, done := askedAgain(t)
			c.change(d)
			p.say(t, record.Handshake, d.marshal(t))
			if c.want == record.CloseNotify {
				if h, err := parseServerHello(p.message(t)); err != nil || h.retry() || h.share.group != tls.CurveP256 {
					t.Errorf("%+v, %v", h, err)
				}
				p.Conn.Close()
				<-done
				return
			}
			p.wantAlert(t, c.want)
			if r := <-done; r.err == nil {
				t.Error("the server has accepted it")
			}
		})
	}
	t.Run("something behind it", func(t *testing.T) {
		t.Parallel()
		d, p, done := askedAgain(t)
		p.say(t, record.Handshake, append(d.marshal(t), typeFinished))
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
}

// TestHostileAfterRetry has servers whose HelloRetryRequest is good and whose ServerHello goes
// back on it (RFC 8446, section 4.1.4).
func TestHostileAfterRetry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		version uint16
		change  func(h *serverHello)
		want    record.AlertCode
	}{
		{"another suite", tls.VersionTLS13, func(h *serverHello) { h.suite = tls.TLS_CHACHA20_POLY1305_SHA256 }, record.IllegalParameter},
		{"TLS 1.2", tls.VersionTLS12, func(*serverHello) {}, record.IllegalParameter},
		{"the group of before", tls.VersionTLS13, func(h *serverHello) { h.share.group = tls.X25519 }, record.IllegalParameter},
		{"no group", tls.VersionTLS13, func(h *serverHello) { h.share.group = 0 }, record.IllegalParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
				p.say(t, record.Handshake, rawHello(t, goodAnswer(tls.VersionTLS13, hello).askAgain(tls.CurveP256)))
				again, err := parseClientHello(p.message(t))
				if err != nil {
					t.Fatal(err)
				}
				answer := goodAnswer(c.version, again)
				c.change(answer)
				p.say(t, record.Handshake, rawHello(t, answer))
			})
			p.wantAlert(t, c.want)
			if err := <-done; err == nil {
				t.Error("the client has accepted it")
			}
		})
	}
}

// A HelloRetryRequest may ask for nothing but its cookie back (RFC 8446, section 4.1.4). All
// else stays as it was, and the binder goes over the first hello's hash.
func TestCookie(t *testing.T) {
	t.Parallel()
	for _, group := range []tls.CurveID{0, tls.CurveP256} {
		_, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
			s := &serverState{Server(p.Conn, config(t, nil), nil), hello}
			s.suite = suites13[0]
			s.note(hello.raw)
			s.retryTranscript()
			m := rawHello(t, goodAnswer(tls.VersionTLS13, hello).askAgain(group), extension{extCookie, []byte{0, 3, 'c', 'o', 'o'}})
			s.note(m)
			p.say(t, record.Handshake, m)
			again, err := parseClientHello(p.message(t))
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(again.extensions, func(e extension) bool { return e.id == extCookie })
			if i < 0 || string(again.extensions[i].data) != "\x00\x03coo" || hello.changed(again) || len(again.shares) != 1 {
				t.Errorf("the second hello: %+v", again)
			}
			want := group
			if want == 0 {
				want = hello.shares[0].group
			}
			if again.shares[0].group != want || group == 0 && string(again.shares[0].data) != string(hello.shares[0].data) {
				t.Errorf("a share of group %v", again.shares[0].group)
			}
			s.secret = aliceKey
			binder, err := s.binder(again.offer.truncated)
			if err != nil || string(binder) != string(again.offer.binders[0]) {
				t.Errorf("binder %x, %v", again.offer.binders[0], err)
			}
			p.Conn.Close()
		})
		<-done
	}
}
