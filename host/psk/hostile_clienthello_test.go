package psk

import (
	"bytes"
	"crypto/tls"
	"slices"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

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
	// A client that offers our best version did not fall back from it (RFC 7507, section 3).
	fallback := newDraft(t, config(t, only13))
	fallback.suites = append(fallback.suites, scsvFallback>>8, scsvFallback&0xff)
	p, _ := greetServer(t, config(t, nil), fallback.marshal(t))
	if h, err := parseServerHello(p.message(t)); err != nil || h.selected != tls.VersionTLS13 {
		t.Errorf("a fallback to TLS 1.3: %+v, %v", h, err)
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
	p, _ = greetServer(t, config(t, nil), m)
	answer, err := parseServerHello(p.message(t))
	if err != nil || answer.identity != 1 {
		t.Errorf("identity %+v, %v", answer, err)
	}
}
