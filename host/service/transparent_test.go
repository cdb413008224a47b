package service

import (
	"net/netip"
	"testing"
)

func hopOf(from, to string) hop {
	return hop{netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)}
}

// A loop is seen by whichever of its two ends is noted last, and nothing else is one.
func TestHops(t *testing.T) {
	var h hops
	a, b := &connection{}, &connection{}
	first, own := hopOf("10.0.0.1:5000", "10.0.0.9:80"), hopOf("10.0.0.2:6000", "10.0.0.9:80")
	if h.came(a, first) || h.went(a, own) {
		t.Error("one connection is a loop")
	}
	if !h.came(b, own) {
		t.Error("our own connection came back, and nobody saw it")
	}
	h.forget(a)
	h.forget(b)
	if h.came(b, own) {
		t.Error("the ends of one that has ended are not free")
	}
	if h.came(a, first); !h.went(a, own) {
		t.Error("it came before the dial was over, and nobody saw it")
	}
	h.forget(a)
	h.forget(b)
	// With source and destination both, a connection goes by the ends that it came by.
	if h.came(a, first) || h.went(a, first) {
		t.Error("a connection from the client's address is a loop")
	}
	if h.forget(a); len(h.in) != 0 || len(h.out) != 0 {
		t.Errorf("%d, %d are left", len(h.in), len(h.out))
	}
	h.forget(&connection{}) // one that never had a destination
}
