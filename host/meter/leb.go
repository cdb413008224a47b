package meter

import "fmt"

// A reader takes a module apart. Its first error sticks and makes every later read
// return zero, so that callers check err once for each group of reads; it also moves
// the position to the end, so that loops over the rest stop.
type reader struct {
	b    []byte
	pos  int
	base int // offset of b[0] in the module
	err  error
}

// fail records an error at the current position, unless there is one already.
func (r *reader) fail(format string, args ...any) {
	r.failAt(r.pos, format, args...)
}

// failAt is fail for an earlier position in b.
func (r *reader) failAt(pos int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: r.base + pos, Reason: fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.b)
}

// refuse records that the module needs a feature that is not metered.
func (r *reader) refuse(pos int, feature string) {
	if r.err == nil {
		r.err = &Error{Offset: r.base + pos, Feature: feature, Reason: feature + " is not supported"}
	}
	r.pos = len(r.b)
}

// rest is the number of unread bytes.
func (r *reader) rest() int { return len(r.b) - r.pos }

// u8 reads a byte.
func (r *reader) u8() byte {
	if r.pos < len(r.b) {
		r.pos++
		return r.b[r.pos-1]
	}
	r.end()
	return 0
}

// end is for reads beyond the end. In line it would keep u8 from being so.
//
//go:noinline
func (r *reader) end() { r.fail("unexpected end") }

// take reads n bytes, which alias the module.
func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(r.rest()) {
		r.fail("%d bytes expected, %d left", n, r.rest())
		return nil
	}
	p := r.b[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return p
}

// sub reads n bytes as a reader of their own.
func (r *reader) sub(n uint32) *reader {
	at := r.pos
	return &reader{b: r.take(n), base: r.base + at, err: r.err}
}

// u32 reads an unsigned number in LEB128 of at most 32 bits. The specification's
// strictness (section 5.2.2: at most five bytes, unused bits zero) keeps this decoder
// and the engine's from reading one module in two ways.
func (r *reader) u32() uint32 {
	// Nearly all numbers are of one byte: reading them here halves what decoding takes.
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.u8()
		if shift == 28 && c > 0x0f {
			r.fail("number does not fit 32 bits")
			return 0
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	return 0
}

// signed reads a signed number in LEB128 of the given width, with the same strictness:
// the unused bits of a last possible byte repeat the sign.
func (r *reader) signed(bits int) int64 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return int64(int8(r.b[r.pos-1]<<1) >> 1)
	}
	var v int64
	for shift := 0; ; shift += 7 {
		c := r.u8()
		if r.err != nil {
			return 0
		}
		if used := bits - shift; used < 7 {
			sign := int8(c<<1) >> 1 >> (used - 1)
			if c >= 0x80 || (sign != 0 && sign != -1) {
				r.fail("number does not fit %d bits", bits)
				return 0
			}
		}
		v |= int64(c&0x7f) << shift
		if c < 0x80 {
			if shift+7 < 64 && c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
}

// count reads the length of a vector of things, each of which takes at least size
// bytes. Checking it against the bytes that are left keeps allocations in proportion
// to the module.
func (r *reader) count(what string, limit, size int) int {
	at := r.pos
	n := r.u32()
	switch {
	case uint64(n) > uint64(limit):
		r.failAt(at, "%d %s, at most %d are allowed", n, what, limit)
	case uint64(n)*uint64(size) > uint64(r.rest()):
		r.failAt(at, "%d %s do not fit the %d bytes left", n, what, r.rest())
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// appendU32 appends v in LEB128.
func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendS64 appends v in signed LEB128, which serves 32-bit and 64-bit constants.
func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// appendBytes appends p behind its length.
func appendBytes(b, p []byte) []byte {
	return append(appendU32(b, uint32(len(p))), p...)
}

// appendName appends s behind its length.
func appendName(b []byte, s string) []byte {
	return append(appendU32(b, uint32(len(s))), s...)
}
