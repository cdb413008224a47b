package meter

import (
	"math"
	"testing"
)

func TestSigned(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64} {
		b := appendS64(nil, v)
		r := &reader{b: b}
		if got := r.signed(64); got != v || r.err != nil || r.rest() != 0 {
			t.Errorf("%d as % x is read as %d, %v", v, b, got, r.err)
		}
		if v != int64(int32(v)) {
			continue
		}
		r = &reader{b: b}
		if got := r.signed(32); got != v || r.err != nil || r.rest() != 0 {
			t.Errorf("%d as % x is read as %d, %v, with 32 bits", v, b, got, r.err)
		}
	}
}

func TestNumbersAreStrict(t *testing.T) {
	for _, test := range []struct {
		bits  int // 0: unsigned of 32
		bytes string
		ok    bool
	}{
		{0, "\xff\xff\xff\xff\x0f", true},
		{0, "\xff\xff\xff\xff\x1f", false},
		{0, "\x80\x80\x80\x80\x00", true},
		{0, "\x80\x80\x80\x80\x80\x00", false},
		{0, "\x80", false},
		{32, "\x80\x80\x80\x80\x78", true},
		{32, "\xff\xff\xff\xff\x07", true},
		{32, "\xff\xff\xff\xff\x0f", false},
		{32, "\x80\x80\x80\x80\x70", false},
		{32, "\xff\xff\xff\xff\xff\x7f", false},
		{33, "\xff\xff\xff\xff\x0f", true},
		{33, "\xff\xff\xff\xff\x1f", false},
		{64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", true},
		{64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", true},
		{64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", false},
		{64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", false},
	} {
		r := &reader{b: []byte(test.bytes)}
		if test.bits == 0 {
			r.u32()
		} else {
			r.signed(test.bits)
		}
		if (r.err == nil) != test.ok {
			t.Errorf("% x with %d bits: %v", test.bytes, test.bits, r.err)
		}
	}
}
