package psk

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

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
		d := newDraft(t, config(t, nil))
		first := d.marshal(t)
		p, done := greetServer(t, config(t, func(c *Config) { c.Groups = []tls.CurveID{tls.CurveP256} }), first)
		sum := sha256.Sum256(first)
		d.before = slices.Concat([]byte{typeMessageHash, 0, 0, sha256.Size}, sum[:], p.message(t))
		d.set(extKeyShare, shareOf(t, tls.CurveP256)...)
		p.say(t, record.Handshake, append(d.marshal(t), typeFinished))
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
}

// TestHostileChangeOfKeys has clients of TLS 1.2 that do something else between their
// ClientKeyExchange and their Finished.
func TestHostileChangeOfKeys(t *testing.T) {
	t.Parallel()
	type sent struct {
		typ     record.Type
		content []byte
	}
	exchange := []byte{typeClientKeyExchange, 0, 0, 7, 0, 5, 'a', 'l', 'i', 'c', 'e'}
	warnings := []sent{{record.Handshake, exchange}}
	for range maxIdle + 1 {
		warnings = append(warnings, sent{record.Alert, []byte{levelWarning, 112}})
	}
	good, finished := sent{record.ChangeCipherSpec, []byte{1}}, sent{record.Handshake, append([]byte{typeFinished, 0, 0, verifyLen}, make([]byte, verifyLen)...)}
	for _, c := range []struct {
		name string
		sent []sent
		want string // the server's error
	}{
		{"bytes in the message", []sent{{record.Handshake, append([]byte{typeClientKeyExchange, 0, 0, 8}, append(exchange[4:], 0)...)}}, "tls: malformed ClientKeyExchange"},
		{"bytes behind the message", []sent{{record.Handshake, append(exchange[:len(exchange):len(exchange)], typeFinished)}, good}, "tls: received unexpected handshake data before a change of keys"},
		{"Finished without a change", []sent{{record.Handshake, exchange}, finished}, "tls: received unexpected record type 22 when waiting for change_cipher_spec"},
		{"another change", []sent{{record.Handshake, exchange}, {record.ChangeCipherSpec, []byte{2}}}, "tls: received unexpected record type 20 when waiting for change_cipher_spec"},
		{"a change of two bytes", []sent{{record.Handshake, exchange}, {record.ChangeCipherSpec, []byte{1, 1}}}, "tls: received unexpected record type 20 when waiting for change_cipher_spec"},
		{"Finished in the clear", []sent{{record.Handshake, exchange}, good, finished}, "local error: tls: bad record MAC"},
		{"two changes", []sent{{record.Handshake, exchange}, good, good}, "local error: tls: bad record MAC"},
		{"warnings without end", warnings, "tls: received unexpected number of records without data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDraft(t, config(t, only12))
			d.suites = binary.BigEndian.AppendUint16(nil, TLS_PSK_WITH_AES_128_GCM_SHA256)
			p, done := greetServer(t, config(t, nil), d.marshal(t))
			for _, r := range c.sent {
				p.Append(r.typ, r.content)
			}
			p.Flush()
			if r := <-done; r.err == nil || r.err.Error() != c.want {
				t.Errorf("the server says %v, want %q", r.err, c.want)
			}
		})
	}
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
				p.say(t, record.Handshake, rawHello(t, &serverHello{random: retryRandom[:], session: hello.session, suite: tls.TLS_AES_128_GCM_SHA256,
					selected: tls.VersionTLS13, share: share{group: tls.CurveP256}, identity: -1}))
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

// TestHostileServerHelloBytes changes what a serverHello has no field for, or adds to its record.
func TestHostileServerHelloBytes(t *testing.T) {
	t.Parallel()
	retry := func(h *serverHello) { h.random, h.identity, h.share = retryRandom[:], -1, share{group: tls.CurveP256} }
	for _, c := range []struct {
		name    string
		bounds  func(*Config)
		version uint16
		answer  func(h *serverHello)
		change  func(m []byte, session int) []byte
		want    record.AlertCode
	}{
		{"version 1.1", nil, tls.VersionTLS13, nil, func(m []byte, _ int) []byte { m[5] = 2; return m }, record.ProtocolVersion},
		{"compression", nil, tls.VersionTLS13, nil, func(m []byte, n int) []byte { m[4+2+32+1+n+2] = 1; return m }, record.IllegalParameter},
		{"compression in TLS 1.2", nil, tls.VersionTLS12, nil, func(m []byte, n int) []byte { m[4+2+32+1+n+2] = 1; return m }, record.IllegalParameter},
		{"something behind it", nil, tls.VersionTLS13, nil, func(m []byte, _ int) []byte { return append(m, typeFinished) }, record.UnexpectedMessage},
		{"something behind a retry", nil, tls.VersionTLS13, retry, func(m []byte, _ int) []byte { return append(m, typeFinished) }, record.UnexpectedMessage},
		{"TLS 1.3 that was not offered", only12, tls.VersionTLS12, func(h *serverHello) { h.selected = tls.VersionTLS13 }, nil, record.IllegalParameter},
		{"TLS 1.2 that was not offered", only13, tls.VersionTLS12, nil, nil, record.ProtocolVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, c.bounds), func(p *peer, hello *clientHello) {
				answer := goodAnswer(c.version, hello)
				if c.answer != nil {
					c.answer(answer)
				}
				m := rawHello(t, answer)
				if c.change != nil {
					m = c.change(m, len(answer.session))
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
