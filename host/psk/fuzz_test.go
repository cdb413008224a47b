package psk

import (
	"bytes"
	"testing"
)

// Whatever comes, the parsers end and give nothing that was not in the message.
func FuzzClientHello(f *testing.F) {
	for _, bounds := range []func(*Config){nil, only12, only13} {
		f.Add(newDraft(f, config(f, bounds)).marshal(f))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := parseClientHello(raw)
		if err != nil {
			return
		}
		if len(h.random) != 32 || len(h.session) > 32 || len(h.suites) == 0 || len(h.serverName) > len(raw) {
			t.Errorf("%+v", h)
		}
		if o := h.offer; o != nil && (len(o.identities) == 0 || len(o.identities) != len(o.binders) || !bytes.HasPrefix(raw, o.truncated) || len(o.truncated) >= len(raw)) {
			t.Errorf("%+v", o)
		}
		if h.changed(h) {
			t.Error("it differs from itself")
		}
	})
}

func FuzzServerHello(f *testing.F) {
	for _, h := range []*serverHello{
		{random: make([]byte, 32), suite: 0x1301, selected: 0x0304, share: share{29, make([]byte, 32)}},
		{random: retryRandom[:], suite: 0x1301, selected: 0x0304, share: share{group: 23}, identity: -1},
		{random: make([]byte, 32), suite: 0x00a8, identity: -1, extended: true, secure: true, protocol: "x"},
	} {
		m, err := h.marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := parseServerHello(raw)
		if err != nil {
			return
		}
		if len(h.random) != 32 || len(h.session) > 32 || h.identity < -1 || h.identity > 0xffff {
			t.Errorf("%+v", h)
		}
	})
}

func FuzzKeyExchanges(f *testing.F) {
	f.Add([]byte{typeServerKeyExchange, 0, 0, 7, 0, 0, 3, 0, 29, 1, 9})
	f.Add([]byte{typeClientKeyExchange, 0, 0, 5, 0, 1, 'a', 1, 9})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, point, err := parseServerKeyExchange(raw); err == nil && len(point) > len(raw) {
			t.Error("a point out of nothing")
		}
		for _, ephemeral := range []bool{false, true} {
			if id, _, err := parseClientKeyExchange(raw, ephemeral); err == nil && len(id) > len(raw) {
				t.Error("an identity out of nothing")
			}
		}
	})
}
