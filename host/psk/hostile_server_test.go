package psk

import (
	"crypto/tls"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

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
				p.say(t, record.Handshake, rawHello(t, answer))
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
				p.say(t, record.Handshake, rawHello(t, goodAnswer(tls.VersionTLS13, hello).askAgain(g)))
			}
		})
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
}

// A keyedServer is a server that has the key, and sends what it likes from its ServerHello on.
type keyedServer struct {
	serverState
	*secrets13
	peer *peer
}

func (k *keyedServer) say(t testing.TB, m []byte, err error) {
	t.Helper()
	if err == nil {
		err = k.send(m, nil)
	}
	if err == nil {
		err = k.out.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// answerKeyed sends a ServerHello of TLS 1.3 and changes keys. What the client sends from then
// on is under its handshake's key, an alert too (RFC 8446, appendix A.1).
func answerKeyed(t testing.TB, p *peer, hello *clientHello) *keyedServer {
	t.Helper()
	k := &keyedServer{serverState: serverState{Server(p.Conn, config(t, nil), nil), hello}, peer: p}
	index, group, err := k.choose13()
	if err != nil {
		t.Fatal(err)
	}
	k.note(hello.raw)
	public, shared, err := exchange(group, hello.shares[0].data)
	if err != nil {
		t.Fatal(err)
	}
	err = k.send((&serverHello{random: random(), session: hello.session, suite: k.suite.id,
		selected: tls.VersionTLS13, share: share{group, public}, identity: index}).marshal())
	if err != nil {
		t.Fatal(err)
	}
	k.secrets13 = k.deriveSecrets(shared)
	if err := k.protectOut(&k.schedule, k.secrets13.server); err != nil {
		t.Fatal(err)
	}
	in, err := k.key(&k.schedule, k.secrets13.client)
	if err != nil {
		t.Fatal(err)
	}
	p.Protect13(in)
	return k
}

// Protect13 lets change_cipher_spec come in the clear beside what the key protects.
func (p *peer) Protect13(k *record.Key) {
	p.Reader.Protect(k)
	p.Reader.Agreed, p.Reader.Compatible = true, true
}

// extensionsOf makes an EncryptedExtensions.
func extensionsOf(tail []byte, list ...extension) ([]byte, error) {
	return message(typeEncryptedExtensions, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, e := range list {
				addExtension(b, e.id, func(b *cryptobyte.Builder) { b.AddBytes(e.data) })
			}
		})
		b.AddBytes(tail)
	})
}

// TestHostileEncryptedExtensions is RFC 8446, section 4.2: an extension that was not asked for,
// one that belongs elsewhere, and one that says what it may not.
func TestHostileEncryptedExtensions(t *testing.T) {
	t.Parallel()
	asks := func(c *Config) { c.ServerName, c.Protocols = "x.test", []string{"a", "b"} }
	for _, c := range []struct {
		name   string
		change func(*Config)
		list   []extension
		tail   []byte
		want   record.AlertCode
	}{
		{"server_name that was not asked for", nil, []extension{{extServerName, nil}}, nil, record.UnsupportedExtension},
		{"server_name with a content", asks, []extension{{extServerName, []byte{0}}}, nil, record.DecodeError},
		{"a protocol that was not asked for", nil, []extension{{extALPN, []byte{0, 2, 1, 'a'}}}, nil, record.UnsupportedExtension},
		{"two protocols", asks, []extension{{extALPN, []byte{0, 4, 1, 'a', 1, 'b'}}}, nil, record.DecodeError},
		{"another protocol", asks, []extension{{extALPN, []byte{0, 2, 1, 'c'}}}, nil, record.IllegalParameter},
		{"a key share", nil, []extension{{extKeyShare, nil}}, nil, record.IllegalParameter},
		{"a version", nil, []extension{{extVersions, []byte{3, 4}}}, nil, record.IllegalParameter},
		{"extended_master_secret", nil, []extension{{extMasterSecret, nil}}, nil, record.IllegalParameter},
		{"extended_master_secret that was not offered", only13, []extension{{extMasterSecret, nil}}, nil, record.UnsupportedExtension},
		{"early data", nil, []extension{{extEarlyData, nil}}, nil, record.UnsupportedExtension},
		{"an unknown one", nil, []extension{{9999, nil}}, nil, record.UnsupportedExtension},
		{"one twice", nil, []extension{{extGroups, []byte{0, 2, 0, 29}}, {extGroups, []byte{0, 2, 0, 29}}}, nil, record.IllegalParameter},
		{"bytes behind", nil, nil, []byte{0}, record.DecodeError},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, c.change), func(p *peer, hello *clientHello) {
				m, err := extensionsOf(c.tail, c.list...)
				answerKeyed(t, p, hello).say(t, m, err)
			})
			p.wantAlert(t, c.want)
			if err := <-done; err == nil {
				t.Error("the client has accepted it")
			}
		})
	}
}

// TestHostileServerFlight has servers with the key whose messages are not those that must come.
func TestHostileServerFlight(t *testing.T) {
	t.Parallel()
	finished := func(k *keyedServer) []byte {
		m, err := message(typeFinished, func(b *cryptobyte.Builder) { b.AddBytes(k.mac(k.secrets13.server, k.sum())) })
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct {
		name   string
		flight func(k *keyedServer) []byte // behind EncryptedExtensions
		want   record.AlertCode
	}{
		{"CertificateRequest", func(*keyedServer) []byte { return []byte{13, 0, 0, 3, 0, 0, 0} }, record.UnexpectedMessage},
		{"Certificate", func(*keyedServer) []byte { return []byte{11, 0, 0, 4, 0, 0, 0, 0} }, record.UnexpectedMessage},
		{"EncryptedExtensions again", func(*keyedServer) []byte { return []byte{typeEncryptedExtensions, 0, 0, 2, 0, 0} }, record.UnexpectedMessage},
		{"a ticket", func(*keyedServer) []byte { return []byte{typeNewSessionTicket, 0, 0, 0} }, record.UnexpectedMessage},
		{"KeyUpdate", func(*keyedServer) []byte { return []byte{typeKeyUpdate, 0, 0, 1, 0} }, record.UnexpectedMessage},
		{"another Finished", func(k *keyedServer) []byte { m := finished(k); m[10] ^= 1; return m }, record.DecryptError},
		{"a Finished that is cut", func(k *keyedServer) []byte {
			m := finished(k)
			m[3]--
			return m[:len(m)-1]
		}, record.DecryptError},
		{"a Finished that is longer", func(k *keyedServer) []byte { m := append(finished(k), 0); m[3]++; return m }, record.DecryptError},
		{"something behind Finished", func(k *keyedServer) []byte { return append(finished(k), typeNewSessionTicket) }, record.UnexpectedMessage},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
				k := answerKeyed(t, p, hello)
				m, err := extensionsOf(nil)
				k.say(t, m, err)
				k.say(t, c.flight(k), nil)
			})
			p.wantAlert(t, c.want)
			if err := <-done; err == nil {
				t.Error("the client has accepted it")
			}
		})
	}
	t.Run("nothing wrong", func(t *testing.T) {
		t.Parallel()
		_, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
			k := answerKeyed(t, p, hello)
			m, err := extensionsOf(nil, extension{extGroups, []byte{0, 2, 0, 29}})
			k.say(t, m, err)
			k.say(t, finished(k), nil)
		})
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestHostileInTheClear has somebody without the key answer in the server's place, once there
// are keys.
func TestHostileInTheClear(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		typ     record.Type
		content []byte
		want    record.AlertCode
	}{
		{"EncryptedExtensions", record.Handshake, []byte{typeEncryptedExtensions, 0, 0, 2, 0, 0}, record.UnexpectedMessage},
		{"an alert", record.Alert, []byte{levelFatal, 80}, record.UnexpectedMessage},
		{"application data", record.ApplicationData, make([]byte, 40), record.BadRecordMAC},
		{"change_cipher_spec with another content", record.ChangeCipherSpec, []byte{2}, record.UnexpectedMessage},
		{"change_cipher_spec with more", record.ChangeCipherSpec, []byte{1, 1}, record.UnexpectedMessage},
		{"change_cipher_spec without end", record.ChangeCipherSpec, []byte{1}, record.UnexpectedMessage},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, nil), func(p *peer, hello *clientHello) {
				if err := answerKeyed(t, p, hello).out.Flush(); err != nil {
					t.Fatal(err)
				}
				for range maxIdle + 1 {
					p.Append(c.typ, c.content)
				}
				p.Flush()
			})
			p.wantAlert(t, c.want)
			if err := <-done; err == nil {
				t.Error("the client has accepted it")
			}
		})
	}
}
