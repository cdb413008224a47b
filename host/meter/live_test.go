package meter

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompilingIsBounded gives functions that are short, and that wazero would take
// seconds and gigabytes for: each is refused, and a tenth of it is not.
func TestCompilingIsBounded(t *testing.T) {
	load := []byte{opI32Const, 0, opI32Load, 2, 0}
	values := func(n int, within []byte) []byte {
		c := slices.Repeat(load, n)
		c = append(c, slices.Repeat(within, n)...)
		return append(c, slices.Repeat([]byte{opDrop}, n)...)
	}
	targets := func(n int) []byte {
		c := append([]byte{opBlock, blockEmpty, opI32Const, 5, opBrTable}, appendU32(nil, uint32(n))...)
		return append(append(c, make([]byte, n+1)...), opEnd)
	}
	nested := func(n int) []byte {
		c := slices.Repeat([]byte{opBlock, blockEmpty}, 100)
		return slices.Repeat(append(c, slices.Repeat([]byte{opEnd}, 100)...), n/100)
	}
	for _, test := range []struct {
		name string
		code func(n int) []byte
		n    int
	}{
		{"values kept across ifs", func(n int) []byte { return values(n, append(slices.Clone(load), opIf, blockEmpty, opEnd)) }, 4000},
		{"values kept across loops", func(n int) []byte { return values(n, []byte{opLoop, blockEmpty, opEnd}) }, 4000},
		{"values kept across fills", func(n int) []byte {
			return values(n, []byte{opI32Const, 0, opI32Const, 0, opI32Const, 0, opMisc, opMemoryFill & 0xff, 0})
		}, 4000},
		{"values kept across fills of tables", func(n int) []byte {
			return values(n, []byte{opI32Const, 0, opRefNull, 0x70, opI32Const, 0, opMisc, opTableFill & 0xff, 0})
		}, 4000},
		{"locals kept across blocks", func(n int) []byte {
			c := slices.Repeat([]byte{opI32Const, 1, opLocalSet, 0}, n)
			return append(c, slices.Repeat([]byte{opBlock, blockEmpty, opEnd}, n)...)
		}, 4000},
		{"targets", targets, 60_000},
		{"blocks", nested, 40_000},
		{"loads", func(n int) []byte { return append([]byte{opI32Const, 0}, slices.Repeat(load[2:], n)...) }, 80_000},
		{"calls with many operands", func(n int) []byte {
			return append(slices.Repeat([]byte{opI32Const, 1}, 1000), slices.Repeat([]byte{opCall, 0}, n)...)
		}, 400},
		{"branches with many operands", func(n int) []byte {
			return append(slices.Repeat([]byte{opI32Const, 1}, 1000), slices.Repeat([]byte{opI32Const, 1, opBrIf, 0}, n)...)
		}, 600},
	} {
		build := func(n int) []byte {
			operands := signature(nil, nil)
			if strings.HasSuffix(test.name, "with many operands") {
				ts := slices.Repeat([]ValueType{I32}, 1000)
				operands = signature(ts, ts)
			}
			m := newModule().types(operands).section(secFunction, 1, 0).section(secTable, 1, 0x70, 0, 1).section(secMemory, 1, 0, 1)
			return m.code(append(append(locals(4000), test.code(n)...), opEnd)).b
		}
		if _, err := Decode(build(test.n)); err == nil || !strings.Contains(err.Error(), "too costly to compile") {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, err := Decode(build(test.n / 10)); err != nil {
			t.Errorf("%s, a tenth: %v", test.name, err)
		}
	}
}

// TestGlobalsMakeCallsCostly refuses many calls in a module with many globals that can
// change, all of which the engine loads again behind each: where the meter calls something
// as well as where the module does. With 10,000 of both it takes a minute and 16 GB.
func TestGlobalsMakeCallsCostly(t *testing.T) {
	for name, code := range map[string][]byte{
		"calls":       {opCall, 0},
		"loops":       {opLoop, blockEmpty, opEnd},
		"memory.grow": {opI32Const, 0, opMemoryGrow, 0, opDrop},
	} {
		build := func(n int, mutable byte) []byte {
			globals := append(appendU32(nil, uint32(n)), slices.Repeat([]byte{byte(I32), mutable, opI32Const, 0, opEnd}, n)...)
			b := newModule().types(signature(nil, nil)).section(secFunction, 1, 0).section(secMemory, 1, 0, 1).section(secGlobal, globals...)
			return b.code(append(append([]byte{0}, slices.Repeat(code, n)...), opEnd)).b
		}
		if _, err := Decode(build(1000, 1)); err == nil || !strings.Contains(err.Error(), "too costly to compile") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Decode(build(100, 1)); err != nil {
			t.Errorf("%s, a tenth: %v", name, err)
		}
		if _, err := Decode(build(1000, 0)); err != nil {
			t.Errorf("%s, with constants: %v", name, err)
		}
	}
}

// TestDeclarationsAreBounded refuses what is short to declare, and what the engine takes
// gigabytes for: locals in many functions, and types of many values.
func TestDeclarationsAreBounded(t *testing.T) {
	void := signature(nil, nil)
	values := slices.Repeat([]ValueType{I32}, MaxValues)
	for name, build := range map[string]func(n int) []byte{
		"locals": func(n int) []byte {
			body := append(locals(MaxLocals), opEnd)
			return newModule().types(void).section(secFunction, append(appendU32(nil, uint32(n)), make([]byte, n)...)...).
				code(slices.Repeat([][]byte{body}, n)...).b
		},
		"types": func(n int) []byte {
			return newModule().types(slices.Repeat([][]byte{signature(values, values)}, n/100)...).b
		},
	} {
		if _, err := Decode(build(1000)); err == nil || !strings.Contains(err.Error(), "too costly to compile") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Decode(build(400)); err != nil {
			t.Errorf("%s, fewer: %v", name, err)
		}
	}
}

// TestHeight compares the height of the operand stack with what it has to be at each
// end that can be reached, in a real guest and in generated modules.
func TestHeight(t *testing.T) {
	smtp, err := os.ReadFile(filepath.Join("..", "..", "stdproto", "smtp.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	modules := [][]byte{smtp}
	for seed := range uint64(200) {
		modules = append(modules, generate(randomBytes(seed, 400), genFuncs))
	}
	ends := 0
	for _, wasm := range modules {
		m, err := Decode(wasm)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.bodies {
			ends += heights(t, m, &m.bodies[i])
		}
	}
	if ends < 1000 {
		t.Errorf("%d ends were compared, want many", ends)
	}
}

func heights(t *testing.T, m *Module, b *body) (ends int) {
	t.Helper()
	r := &reader{b: b.raw, pos: b.code}
	var l liveness
	dead := false
	type block struct {
		start, end int64
		dead       bool // it stands in code that cannot be reached
	}
	open := []block{{end: int64(len(m.types[b.typ].results))}}
	for len(open) > 0 {
		in := m.next(r)
		if r.err != nil {
			t.Fatal(r.err)
		}
		top := open[len(open)-1]
		if in.op == opEnd || in.op == opElse {
			if !dead {
				ends++
				if l.height != top.end {
					t.Fatalf("height %d at offset %d, want %d", l.height, in.start, top.end)
				}
			}
			dead = top.dead
		}
		l.step(in)
		switch in.op {
		case opBlock, opIf:
			l.height -= int64(in.results) // inside, where step counts what will be there after it
			open = append(open, block{l.height, l.height - int64(in.params) + int64(in.results), dead})
		case opLoop:
			l.height -= int64(in.params + in.results)
			open = append(open, block{l.height, l.height - int64(in.params) + int64(in.results), dead})
		case opElse:
			l.leave(top.start)
		case opEnd:
			l.leave(top.end)
			open = open[:len(open)-1]
		case opBr, opBrTable, opReturn, opUnreachable:
			dead = true
		}
	}
	return ends
}
