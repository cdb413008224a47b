package psk

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// heavyHellos are ClientHellos of nearly the longest kind, each made to be much work.
func heavyHellos(t testing.TB) map[string][]byte {
	hello := func(change func(d *draft)) []byte {
		d := newDraft(t, config(t, only12))
		change(d)
		return d.marshal(t)
	}
	const room = maxMessage - 1000 // bytes
	return map[string][]byte{
		"suites": hello(func(d *draft) {
			d.suites = nil
			for i := range room / 2 {
				d.suites = binary.BigEndian.AppendUint16(d.suites, uint16(0x4000+i))
			}
		}),
		"extensions": hello(func(d *draft) {
			for i := range room / 4 {
				d.extensions = append(d.extensions, extension{uint16(0x4000 + i), nil})
			}
		}),
	}
}

// A hello of 15 KB costs its sender nothing. What it costs us must not grow with the square
// of its length, nor litter.
func TestHeavyHello(t *testing.T) {
	conf := config(t, nil)
	for name, raw := range heavyHellos(t) {
		allocs := testing.AllocsPerRun(3, func() {
			h := &Hello{}
			if h.hello, h.err = parseClientHello(raw); h.err != nil {
				t.Fatal(h.err)
			}
			h.Usable(conf)
		})
		if allocs > 100 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
	d := newDraft(t, config(t, only13))
	list, groups := []byte{0, 0}, []byte{0, 0}
	for i := range maxShares + 1 {
		groups = append(groups, 0x40, byte(i))
		list = append(list, 0x40, byte(i), 0, 1, 9)
	}
	list[1], groups[1] = byte(len(list)-2), byte(len(groups)-2)
	d.set(extKeyShare, list...)
	d.set(extGroups, groups...)
	p, done := greetServer(t, conf, d.marshal(t))
	p.wantAlert(t, record.IllegalParameter)
	if r := <-done; r.err == nil || !strings.Contains(r.err.Error(), "key shares") {
		t.Error(r.err)
	}
}

func BenchmarkHeavyHello(b *testing.B) {
	conf := config(b, nil)
	for name, raw := range heavyHellos(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h := &Hello{}
				if h.hello, h.err = parseClientHello(raw); h.err == nil {
					h.Usable(conf)
				}
			}
		})
	}
}
