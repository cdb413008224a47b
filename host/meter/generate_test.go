package meter

import "encoding/binary"

// A generator turns any bytes into a valid module that comes to an end: functions call
// only those behind them, and loops count. It makes everything that rewriting touches:
// blocks, loops and branches of every form, returns from inside them, calls through a
// table, several results, operations on ranges, and traps.
type generator struct {
	data   []byte
	out    []byte
	self   int
	labels []bool // of the open blocks, whether each can be a target: loops cannot
	depth  int
}

// The generated functions: (i32, i64) -> result kinds by index, locals by index.
const (
	genFuncs = 5
	genI32   = 0 // parameter, then locals 2 and 3
	genI64   = 1 // parameter, then local 4
	genF64   = 5
	genCount = 6 // counters of loops, one for each level
	genDepth = 4
)

// genResults are the results of the functions; types 0 to 4 are theirs.
var genResults = [genFuncs][]ValueType{{I32}, {I32, I64}, {I64}, {}, {I32, I64, I32}}

// pick takes a decision below n from the data, 0 when there is none left.
func (g *generator) pick(n int) int {
	if len(g.data) == 0 {
		return 0
	}
	c := int(g.data[0])
	g.data = g.data[1:]
	return c % n
}

// emit writes bytes of code.
func (g *generator) emit(b ...byte) { g.out = append(g.out, b...) }

// constant writes a constant of a type.
func (g *generator) constant(t ValueType) {
	v := int64(int8(g.pick(256)))
	if g.pick(4) == 0 {
		v <<= g.pick(63)
	}
	switch t {
	case I32:
		g.out = appendS64(append(g.out, opI32Const), int64(int32(v)))
	case I64:
		g.out = appendS64(append(g.out, opI64Const), v)
	case F64:
		g.out = binary.LittleEndian.AppendUint64(append(g.out, opF64Const), uint64(v)<<40)
	}
}

// local picks a local of a type.
func (g *generator) local(t ValueType) byte {
	switch t {
	case I32:
		return [3]byte{genI32, 2, 3}[g.pick(3)]
	case I64:
		return [2]byte{genI64, 4}[g.pick(2)]
	}
	return genF64
}

// address writes an address that is mostly inside the memory.
func (g *generator) address() {
	g.expr(I32)
	if g.pick(40) > 0 {
		g.emit(opI32Const, 0xff, 0xf7, 0x03, 0x71) // i32.and of all but the last pages
	}
}

// length writes a small length.
func (g *generator) length() {
	g.expr(I32)
	g.emit(opI32Const, 0xff, 0x07, 0x71)
}

// expr writes code that leaves a value of a type.
func (g *generator) expr(t ValueType) {
	g.depth++
	defer func() { g.depth-- }()
	choice := g.pick(12)
	if g.depth > 6 {
		choice %= 2
	}
	switch choice {
	case 0:
		g.constant(t)
	case 1:
		g.emit(opLocalGet, g.local(t))
	case 2, 3, 4:
		g.expr(t)
		g.expr(t)
		op := byte(g.pick(15))
		if op >= 3 && op <= 6 && g.pick(16) > 0 {
			op -= 3 // divisions trap too often
		}
		switch t {
		case I32:
			g.emit(0x6a + op)
		case I64:
			g.emit(0x7c + op)
		default:
			g.emit(byte(0xa0 + g.pick(4)))
		}
	case 5:
		g.expr(t)
		g.emit(opLocalTee, g.local(t))
	case 6:
		g.convert(t)
	case 7:
		g.address()
		switch t {
		case I32:
			g.emit(byte(0x2c+g.pick(4)), 0, byte(g.pick(128)))
		case I64:
			g.emit(byte(0x30+g.pick(6)), 0, byte(g.pick(128)))
		default:
			g.emit(opDrop, opLocalGet, genF64)
		}
	case 8:
		g.expr(t)
		g.expr(t)
		g.expr(I32)
		g.emit(opSelect)
	case 9:
		g.expr(I32)
		g.open(opIf, byte(t), true)
		g.expr(t)
		g.emit(opElse)
		g.expr(t)
		g.close()
	case 10:
		g.open(opBlock, byte(t), true)
		g.statements(2)
		g.expr(t)
		g.close()
	case 11:
		g.call(t)
	}
}

// convert writes a conversion to t.
func (g *generator) convert(t ValueType) {
	switch t {
	case I32:
		switch g.pick(6) {
		case 0:
			g.expr(I64)
			g.emit(0xa7) // wrap
		case 1:
			g.expr(F64)
			g.emit(opMisc, byte(2+g.pick(2))) // trunc_sat
		case 2:
			g.expr(F64)
			if g.pick(16) == 0 {
				g.emit(byte(0xaa + g.pick(2))) // trunc, which traps
			} else {
				g.emit(opMisc, byte(2+g.pick(2)))
			}
		case 3:
			g.emit(opMemorySize, 0)
		case 4:
			g.expr(F64)
			g.expr(F64)
			g.emit(byte(0x61 + g.pick(6)))
		case 5:
			g.expr(I32)
			g.emit(byte(opI32Extend8 + g.pick(2)))
		}
	case I64:
		g.expr(I32)
		g.emit(byte(0xac + g.pick(2)))
	default:
		g.expr(I32)
		g.emit(0xb7)
	}
}

// call writes a call that leaves a value of a type: of a function behind this one, or
// through the table, from the first function alone, so that no call comes back to one
// that is open.
func (g *generator) call(t ValueType) {
	f := g.self + 1 + g.pick(genFuncs)
	if f >= genFuncs {
		g.constant(t)
		return
	}
	g.expr(I32)
	g.expr(I64)
	if g.self == 0 && g.pick(2) == 0 {
		if g.pick(8) == 0 {
			g.expr(I32)
		} else {
			g.emit(opI32Const, byte(f-1)) // of the right type
		}
		g.emit(opI32Const, 7, 0x71, opCallIndirect, byte(f), 0)
	} else {
		g.emit(opCall, byte(f))
	}
	results := genResults[f]
	for i := len(results) - 1; i >= 0; i-- {
		g.emit(opLocalSet, g.local(results[i]))
	}
	g.emit(opLocalGet, g.local(t))
}

// open starts a block.
func (g *generator) open(op, typ byte, target bool) {
	g.emit(op, typ)
	// A branch to a block with a result would have to carry one.
	g.labels = append(g.labels, target && typ == blockEmpty)
}

// close ends a block.
func (g *generator) close() {
	g.emit(opEnd)
	g.labels = g.labels[:len(g.labels)-1]
}

// target picks a label to branch to.
func (g *generator) target() (byte, bool) {
	var l []byte
	for i, ok := range g.labels {
		if ok {
			l = append(l, byte(len(g.labels)-1-i))
		}
	}
	if len(l) == 0 {
		return 0, false
	}
	return l[g.pick(len(l))], true
}

// statements writes up to n statements.
func (g *generator) statements(n int) {
	for range 1 + g.pick(n) {
		g.statement()
	}
}

// statement writes code that leaves the stack as it was.
func (g *generator) statement() {
	g.depth++
	defer func() { g.depth-- }()
	choice := g.pick(16)
	if g.depth > 6 || len(g.data) == 0 {
		choice = 0
	}
	switch choice {
	case 0, 1:
		t := [3]ValueType{I32, I64, F64}[g.pick(3)]
		g.expr(t)
		g.emit(opLocalSet, g.local(t))
	case 2:
		g.expr(I32)
		g.emit(opGlobalSet, 0)
	case 3:
		g.address()
		g.expr(I64)
		g.emit(byte(0x3c+g.pick(3)), 0, byte(g.pick(128)))
	case 4:
		g.open(opBlock, blockEmpty, true)
		g.statements(3)
		g.close()
	case 5, 6:
		g.loop()
	case 7:
		g.expr(I32)
		g.open(opIf, blockEmpty, true)
		g.statements(2)
		if g.pick(2) == 0 {
			g.emit(opElse)
			g.statements(2)
		}
		g.close()
	case 8:
		g.call(I32)
		g.emit(opDrop)
	case 9:
		if l, ok := g.target(); ok {
			g.expr(I32)
			g.emit(opBrIf, l)
		}
	case 10:
		if l, ok := g.target(); ok {
			second, _ := g.target()
			g.expr(I32)
			g.emit(opBrTable, 2, l, second, l)
		}
	case 11:
		if l, ok := g.target(); ok && g.pick(3) == 0 {
			g.emit(opBr, l)
		}
	case 12:
		if g.pick(20) == 0 {
			g.results()
			g.emit(opReturn)
		}
	case 13:
		g.bulk()
	case 14:
		g.expr(I32)
		g.emit(opI32Const, 15, 0x71, opI32Eqz)
		g.open(opIf, blockEmpty, true)
		if g.pick(8) == 0 {
			g.emit(opUnreachable)
		} else {
			g.results()
			g.emit(opReturn)
		}
		g.close()
	case 15:
		g.emit(opI32Const, byte(g.pick(8)), 0xd2, byte(g.pick(genFuncs)), opTableSet, 1)
	}
}

// loop writes a loop that runs up to four times.
func (g *generator) loop() {
	level := 0
	for _, ok := range g.labels {
		if !ok {
			level++
		}
	}
	if level >= genDepth {
		return
	}
	counter := byte(genCount + level)
	g.emit(opI32Const, 0, opLocalSet, counter)
	g.open(opLoop, blockEmpty, false)
	g.statements(3)
	g.emit(opLocalGet, counter, opI32Const, 1, opI32Add, opLocalTee, counter,
		opI32Const, byte(1+g.pick(4)), 0x49 /* lt_u */, opBrIf, 0)
	g.close()
}

// bulk writes an operation that is charged by its operand.
func (g *generator) bulk() {
	switch g.pick(8) {
	case 0:
		g.address()
		g.expr(I32)
		g.length()
		g.emit(opMisc, opMemoryFill&0xff, 0)
	case 1:
		g.address()
		g.address()
		g.length()
		g.emit(opMisc, opMemoryCopy&0xff, 0, 0)
	case 2:
		g.address()
		g.emit(opI32Const, byte(g.pick(4)), opI32Const, byte(g.pick(8)), opMisc, opMemoryInit&0xff, 0, 0)
	case 3:
		g.emit(opI32Const, byte(g.pick(3)), opMemoryGrow, 0, opLocalSet, 2)
	case 4:
		g.emit(opRefNull, 0x70, opI32Const, byte(g.pick(4)), opMisc, opTableGrow&0xff, 1, opLocalSet, 3)
	case 5:
		g.emit(opI32Const, byte(g.pick(8)), opRefFunc, byte(g.pick(genFuncs)), opI32Const, byte(g.pick(8)), opMisc, opTableFill&0xff, 1)
	case 6:
		g.emit(opI32Const, byte(g.pick(8)), opI32Const, byte(g.pick(8)), opI32Const, byte(g.pick(8)), opMisc, opTableCopy&0xff, 1, 0)
	case 7:
		g.emit(opI32Const, byte(g.pick(8)), opI32Const, 0, opI32Const, byte(g.pick(4)), opMisc, opTableInit&0xff, 0, 1)
	}
}

// results writes the results of the function.
func (g *generator) results() {
	for _, t := range genResults[g.self] {
		g.expr(t)
	}
}

// generate makes the module, whose first functions are exported. Its first table holds
// the functions that may be called through it, its second one is for table instructions.
func generate(data []byte, exported int) []byte {
	g := &generator{data: data}
	b := newModule()
	var types [][]byte
	var funcs []byte
	var bodies [][]byte
	for i := range genFuncs {
		types = append(types, signature([]ValueType{I32, I64}, genResults[i]))
		funcs = append(funcs, byte(i))
		g.self, g.out, g.labels = i, nil, nil
		g.emit(4, 2, byte(I32), 1, byte(I64), 1, byte(F64), genDepth, byte(I32))
		g.statements(8)
		g.results()
		g.emit(opEnd)
		bodies = append(bodies, g.out)
	}
	b.types(types...)
	b.section(secFunction, append([]byte{genFuncs}, funcs...)...)
	b.section(secTable, 2, 0x70, 0, 8, 0x70, 1, 8, 16)
	b.section(secMemory, 1, 1, 1, 2)
	b.section(secGlobal, 1, byte(I32), 1, opI32Const, 0, opEnd)
	exports := appendU32(nil, uint32(exported)+2)
	for i := range byte(exported) {
		exports = append(exports, 1, 'a'+i, byte(KindFunction), i)
	}
	exports = append(exports, 1, 'm', byte(KindMemory), 0, 1, 'g', byte(KindGlobal), 0)
	b.section(secExport, exports...)
	b.section(secElement, 2,
		0, opI32Const, 0, opEnd, 7, 1, 2, 3, 4, 1, 2, 3,
		1, 0, genFuncs, 0, 1, 2, 3, 4)
	b.section(secDataCount, 1)
	b.code(bodies...)
	return b.section(secData, 1, 1, 4, 'd', 'a', 't', 'a').b
}
