package psk

import (
	"crypto/tls"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

func TestHostileServerHello(t *testing.T) {
	t.Parallel()
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
		{"a retry for the group that it has", tls.VersionTLS13, func(h *serverHello) { h.askAgain(tls.X25519) }, record.IllegalParameter},
		{"a retry for a group that was not offered", tls.VersionTLS13, func(h *serverHello) { h.askAgain(tls.CurveP521) }, record.IllegalParameter},
		{"a retry for nothing", tls.VersionTLS13, func(h *serverHello) { h.askAgain(0) }, record.IllegalParameter},
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
	retry := func(h *serverHello) { h.askAgain(tls.CurveP256) }
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

// TestHostileHelloExtensions has extensions in a ServerHello or HelloRetryRequest that our
// server does not know to send.
func TestHostileHelloExtensions(t *testing.T) {
	t.Parallel()
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
		{"a retry for group 0", tls.VersionTLS13, func(h *serverHello) { h.askAgain(0) }, []extension{{extKeyShare, []byte{0, 0}}, cookie}, record.IllegalParameter},
		{"a retry with an identity", tls.VersionTLS13, func(h *serverHello) { h.askAgain(tls.CurveP256); h.identity = 0 }, nil, record.IllegalParameter},
		{"bytes behind the version", tls.VersionTLS13, func(h *serverHello) { h.selected = 0 }, []extension{{extVersions, []byte{3, 4, 0}}}, record.DecodeError},
		{"bytes behind the identity", tls.VersionTLS13, func(h *serverHello) { h.identity = -1 }, []extension{{extPreSharedKey, []byte{0, 0, 0}}}, record.DecodeError},
		{"bytes behind the share", tls.VersionTLS13, func(h *serverHello) { h.share.group = 0 }, []extension{{extKeyShare, append(shareOf(t, tls.X25519)[2:], 0)}}, record.DecodeError},
		{"bytes behind a retry's group", tls.VersionTLS13, func(h *serverHello) { h.askAgain(0) }, []extension{{extKeyShare, []byte{0, 23, 0}}}, record.DecodeError},
		{"renegotiation", tls.VersionTLS12, func(h *serverHello) { h.secure = false }, []extension{{extRenegotiationInfo, []byte{1, 0}}}, record.DecodeError},
		{"extended_master_secret with a content", tls.VersionTLS12, func(h *serverHello) { h.extended = false }, []extension{{extMasterSecret, []byte{0}}}, record.DecodeError},
		{"two protocols in TLS 1.2", tls.VersionTLS12, nil, []extension{{extALPN, []byte{0, 4, 1, 'a', 1, 'b'}}}, record.DecodeError},
		{"an empty cookie", tls.VersionTLS13, func(h *serverHello) { h.askAgain(tls.CurveP256) }, []extension{{extCookie, []byte{0, 0}}}, record.DecodeError},
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
