package meter

import (
	"bytes"
	"slices"
	"testing"
)

// TestCosts pins what regions cost: the function's entry first, then its loops.
func TestCosts(t *testing.T) {
	for _, test := range []struct {
		name string
		code []byte
		want []int64
	}{
		{"end", []byte{opEnd}, []int64{1}},
		{"plain", []byte{0x01, 0x01, opEnd}, []int64{3}},
		{"block belongs to the entry", []byte{opBlock, blockEmpty, 0x01, opEnd, opEnd}, []int64{4}},
		{"loop pays for itself", []byte{opLoop, blockEmpty, 0x01, 0x01, opEnd, 0x01, opEnd}, []int64{3, 3}},
		{"loop in a loop", []byte{opLoop, blockEmpty, opLoop, blockEmpty, opEnd, 0x01, opEnd, opEnd}, []int64{2, 3, 1}},
		{"branch with a value", []byte{opBlock, byte(I32), opI32Const, 0, opBr, 0, opEnd, opDrop, opEnd}, []int64{8}},
		{"branch without one", []byte{opBlock, blockEmpty, opBr, 0, opEnd, opEnd}, []int64{4}},
		{"branch table with a value", []byte{opBlock, byte(I32), opI32Const, 0, opI32Const, 0, opBrTable, 1, 0, 0, opEnd, opDrop, opEnd}, []int64{9}},
		{"memory.grow", []byte{opI32Const, 0, opMemoryGrow, 0, opDrop, opEnd}, []int64{4 + growCost}},
		{"table.grow", []byte{opRefNull, 0x70, opI32Const, 0, opMisc, opTableGrow & 0xff, 0, opDrop, opEnd}, []int64{5 + growCost}},
		{"ref.func", []byte{opRefFunc, 0, opDrop, opEnd}, []int64{3 + growCost}},
		{"memory.fill", []byte{opI32Const, 0, opI32Const, 0, opI32Const, 0, opMisc, opMemoryFill & 0xff, 0, opEnd}, []int64{5 + bulkCost}},
		{"memory.fill of a known length", []byte{opI32Const, 0, opI32Const, 0, opI32Const, 0x80, 0x08, opMisc, opMemoryFill & 0xff, 0, opEnd}, []int64{5 + bulkCost + 1024/8}},
		{"memory.fill of a long one, charged when it runs", []byte{opI32Const, 0, opI32Const, 0, opI32Const, 0x81, 0x08, opMisc, opMemoryFill & 0xff, 0, opEnd}, []int64{5 + bulkCost}},
		{"memory.fill of a negative one", []byte{opI32Const, 0, opI32Const, 0, opI32Const, 0x7f, opMisc, opMemoryFill & 0xff, 0, opEnd}, []int64{5 + bulkCost}},
		{"memory.fill of a length behind a block", []byte{opI32Const, 0, opI32Const, 0, opBlock, byte(I32), opI32Const, 8, opEnd, opMisc, opMemoryFill & 0xff, 0, opEnd}, []int64{8 + bulkCost}},
	} {
		m, err := Decode(function(test.code...))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if !slices.Equal(m.costs, test.want) {
			t.Errorf("%s: costs %v, want %v", test.name, m.costs, test.want)
		}
	}
}

// TestCallCosts pins that the values which a call and an entry move are paid for, lest
// cheap instructions do much work.
func TestCallCosts(t *testing.T) {
	wasm := newModule().types(signature([]ValueType{I32, I64}, []ValueType{I32})).section(secFunction, 1, 0).
		code(append(locals(3), opLocalGet, 0, opLocalGet, 1, opCall, 0, opReturn, opEnd)).b
	m, err := Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	// Five instructions, five parameters and locals, three values of the call, one of return.
	if want := []int64{14}; !slices.Equal(m.costs, want) {
		t.Errorf("costs %v, want %v", m.costs, want)
	}
}

func TestTablesAreCapped(t *testing.T) {
	limit := appendU32(nil, MaxTableEntries)
	for _, test := range []struct {
		name string
		in   []byte
		want []byte
	}{
		{"no maximum", []byte{0x70, 0, 1}, append([]byte{0x70, 1, 1}, limit...)},
		{"low maximum", []byte{0x70, 1, 1, 9}, []byte{0x70, 1, 1, 9}},
		{"high maximum", []byte{0x6f, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f}, append([]byte{0x6f, 1, 1}, limit...)},
	} {
		out := rewrite(t, newModule().section(secTable, append([]byte{1}, test.in...)...).b, Options{})
		want := appendBytes([]byte{secTable}, append([]byte{1}, test.want...))
		if !bytes.Contains(out, want) {
			t.Errorf("%s: no % x in % x", test.name, want, out)
		}
	}
}
