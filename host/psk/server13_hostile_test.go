package psk

import (
	"crypto/tls"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// A keyedServer is a server that has the key, and sends what it likes from its ServerHello on.
type keyedServer struct {
	serverState
	*secrets13
	peer *peer
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

// TestHostileHelloExtensions has extensions in a ServerHello or HelloRetryRequest that our
// server does not know to send.
func TestHostileHelloExtensions(t *testing.T) {
	t.Parallel()
	retry := func(h *serverHello, group tls.CurveID) {
		h.random, h.identity, h.share = retryRandom[:], -1, share{group: group}
	}
	cookie := extension{extCookie, []byte{0, 2, 1, 2}}
	for _, c := range []struct {
		name    string
		version uint16
		change  func(h *serverHello)
		more    []extension
		want    record.AlertCode
	}{
		{"a cookie in a ServerHello", tls.VersionTLS13, nil, []extension{cookie}, record.UnsupportedExtension},
		{"modes in a ServerHello", tls.VersionTLS13, nil, []extension{{extModes, []byte{1, 1}}}, record.IllegalParameter},
		{"an unknown one", tls.VersionTLS13, nil, []extension{{9999, nil}}, record.UnsupportedExtension},
		{"an unknown one in TLS 1.2", tls.VersionTLS12, nil, []extension{{9999, nil}}, record.UnsupportedExtension},
		{"one twice", tls.VersionTLS12, nil, []extension{{extMasterSecret, nil}}, record.IllegalParameter},
		{"pre_shared_key in TLS 1.2", tls.VersionTLS12, nil, []extension{{extPreSharedKey, []byte{0, 0}}}, record.IllegalParameter},
		{"TLS 1.2 selected in supported_versions", tls.VersionTLS12, nil, []extension{{extVersions, []byte{3, 3}}}, record.IllegalParameter},
		{"version 0 in supported_versions", tls.VersionTLS12, nil, []extension{{extVersions, []byte{0, 0}}}, record.IllegalParameter},
		{"no uncompressed points", tls.VersionTLS12, nil, []extension{{extPointFormats, []byte{1, 1}}}, record.IllegalParameter},
		{"another protocol in TLS 1.2", tls.VersionTLS12, nil, []extension{{extALPN, []byte{0, 2, 1, 'c'}}}, record.IllegalParameter},
		{"no points", tls.VersionTLS12, nil, []extension{{extPointFormats, []byte{0}}}, record.DecodeError},
		{"a retry in TLS 1.2", tls.VersionTLS12, func(h *serverHello) { h.random = retryRandom[:] }, nil, record.IllegalParameter},
		{"a retry for group 0", tls.VersionTLS13, func(h *serverHello) { retry(h, 0) }, []extension{{extKeyShare, []byte{0, 0}}, cookie}, record.IllegalParameter},
		{"a retry with an identity", tls.VersionTLS13, func(h *serverHello) { retry(h, tls.CurveP256); h.identity = 0 }, nil, record.IllegalParameter},
		{"bytes behind the version", tls.VersionTLS13, func(h *serverHello) { h.selected = 0 }, []extension{{extVersions, []byte{3, 4, 0}}}, record.DecodeError},
		{"bytes behind the identity", tls.VersionTLS13, func(h *serverHello) { h.identity = -1 }, []extension{{extPreSharedKey, []byte{0, 0, 0}}}, record.DecodeError},
		{"bytes behind the share", tls.VersionTLS13, func(h *serverHello) { h.share.group = 0 }, []extension{{extKeyShare, append(shareOf(t, tls.X25519)[2:], 0)}}, record.DecodeError},
		{"bytes behind a retry's group", tls.VersionTLS13, func(h *serverHello) { retry(h, 0) }, []extension{{extKeyShare, []byte{0, 23, 0}}}, record.DecodeError},
		{"renegotiation", tls.VersionTLS12, func(h *serverHello) { h.secure = false }, []extension{{extRenegotiationInfo, []byte{1, 0}}}, record.DecodeError},
		{"extended_master_secret with a content", tls.VersionTLS12, func(h *serverHello) { h.extended = false }, []extension{{extMasterSecret, []byte{0}}}, record.DecodeError},
		{"two protocols in TLS 1.2", tls.VersionTLS12, nil, []extension{{extALPN, []byte{0, 4, 1, 'a', 1, 'b'}}}, record.DecodeError},
		{"an empty cookie", tls.VersionTLS13, func(h *serverHello) { retry(h, tls.CurveP256) }, []extension{{extCookie, []byte{0, 0}}}, record.DecodeError},
		{"our own session ID in TLS 1.2", tls.VersionTLS12, func(h *serverHello) { h.session = []byte("echo") }, nil, record.IllegalParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := answerClient(t, config(t, func(c *Config) { c.Protocols = []string{"a"} }), func(p *peer, hello *clientHello) {
				answer := goodAnswer(c.version, hello)
				if c.change != nil {
					c.change(answer)
				}
				if string(answer.session) == "echo" {
					answer.session = hello.session
				}
				p.say(t, record.Handshake, rawHello(t, answer, c.more...))
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
			s.suite = &suites13[0]
			s.note(hello.raw)
			s.retryTranscript()
			m := rawHello(t, &serverHello{random: retryRandom[:], session: hello.session, suite: s.suite.id,
				selected: tls.VersionTLS13, share: share{group: group}, identity: -1}, extension{extCookie, []byte{0, 3, 'c', 'o', 'o'}})
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
