package meter

// Opcodes that decoding or rewriting treats specially (specification, section 5.4).
// Those behind the prefix 0xfc are 0xfc00 and the number.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opI32Load      = 0x28
	opI32Store     = 0x36
	opI64Store32   = 0x3e
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Eqz       = 0x45
	opI32GtU       = 0x4b
	opI64LtS       = 0x53
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI64Sub       = 0x7d
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opI32Extend8   = 0xc0
	opI64Extend32  = 0xc4
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opGC           = 0xfb
	opMisc         = 0xfc
	opVector       = 0xfd
	opAtomic       = 0xfe

	opMemoryInit = 0xfc08
	opDataDrop   = 0xfc09
	opMemoryCopy = 0xfc0a
	opMemoryFill = 0xfc0b
	opTableInit  = 0xfc0c
	opElemDrop   = 0xfc0d
	opTableCopy  = 0xfc0e
	opTableGrow  = 0xfc0f
	opTableSize  = 0xfc10
	opTableFill  = 0xfc11

	blockEmpty = 0x40 // the block type without results
)

// An instr is one instruction.
type instr struct {
	op      uint16
	start   int    // in the reader's bytes
	index   uint32 // of what it names (a type's, of call_indirect, begins behind the functions'), or the constant of i32.const
	params  int    // of a block or call
	results int    // of a block or call
	targets int    // of br_table, the default one left out
}

// next reads an instruction and checks its immediates, save labels and locals, whose
// range depends on the function.
func (m *Module) next(r *reader) instr {
	in := instr{start: r.pos}
	c := r.u8()
	in.op = uint16(c)
	switch { // what is most frequent comes first
	case c >= opLocalGet && c <= opLocalTee || c == opBr || c == opBrIf:
		in.index = r.u32()
	case c >= opI32Eqz && c < opI32Extend8:
	case c == opI32Const:
		in.index = uint32(r.signed(32))
	case c >= opI32Load && c <= opI64Store32:
		m.memArg(r, in.start)
	case c <= 0x01 || c == opElse || c == opEnd || c == opReturn || c == opDrop || c == opSelect:
	case c == opBlock || c == opLoop || c == opIf:
		m.blockType(r, &in)
	case c == opBrTable:
		in.targets = r.count("targets", MaxTargets, 1)
		for range in.targets {
			r.u32()
		}
		in.index = r.u32()
	case c == opCall:
		in.index = m.funcIndex(r)
		if r.err == nil {
			in.signature(m.types[m.funcs[in.index]])
		}
	case c == opCallIndirect:
		t := m.typeIndex(r)
		r.index("table", m.tables)
		if r.err == nil {
			in.index = uint32(len(m.funcs)) + t
			in.signature(m.types[t])
		}
	case c == opSelectTyped:
		if n := r.u32(); r.err == nil && n != 1 {
			r.failAt(in.start, "select of %d values", n)
		}
		r.valueType()
		m.features |= featReferenceTypes
	case c == opGlobalGet || c == opGlobalSet:
		in.index = r.index("global", m.globals)
	case c == opTableGet || c == opTableSet:
		r.index("table", m.tables)
		m.features |= featReferenceTypes
	case c == opMemorySize || c == opMemoryGrow:
		m.memoryZero(r, in.start)
	case c == opI64Const:
		r.signed(64)
	case c == opF32Const:
		r.take(4)
	case c == opF64Const:
		r.take(8)
	case c >= opI32Extend8 && c <= opI64Extend32:
		m.features |= featSignExtension
	case c == opRefNull:
		r.refType()
		m.features |= featReferenceTypes
	case c == opRefIsNull:
		m.features |= featReferenceTypes
	case c == opRefFunc:
		in.index = m.funcIndex(r)
		m.features |= featReferenceTypes
	case c == opMisc:
		m.misc(r, &in)
	default:
		r.unknown(in.start, c)
	}
	return in
}

// fixed says whether the instruction before one that is charged by its operand makes that
// a small constant.
func (in instr) fixed(before instr) bool {
	return in.op >= opMemoryInit && in.op <= opMemoryFill && before.op == opI32Const && before.index <= maxFixed
}

// signature notes what a call takes and gives.
func (in *instr) signature(t funcType) {
	in.params, in.results = len(t.params), len(t.results)
}

// unknown refuses an opcode, by the name of the proposal that has it.
func (r *reader) unknown(at int, c byte) {
	switch {
	case c == opVector:
		r.refuse(at, refusedSIMD)
	case c == opAtomic:
		r.refuse(at, refusedThreads)
	case c == opGC || c >= 0xd3 && c <= 0xd6:
		r.refuse(at, refusedGC)
	case c == 0x12 || c == 0x13:
		r.refuse(at, refusedTailCall)
	case c == 0x14 || c == 0x15:
		r.refuse(at, refusedTypedFunc)
	case c >= 0x06 && c <= 0x0a || c == 0x18 || c == 0x19 || c == 0x1f:
		r.refuse(at, refusedExceptions)
	default:
		r.failAt(at, "unknown instruction %#x", c)
	}
}

// blockType reads the type of a block. A value type is one byte; a type index is a
// number of 33 bits that is not negative (specification, section 5.4.1).
func (m *Module) blockType(r *reader, in *instr) {
	at := r.pos
	if r.rest() > 0 && r.b[r.pos]&0xc0 == 0x40 {
		if r.b[r.pos] == blockEmpty {
			r.pos++
			return
		}
		r.valueType()
		in.results = 1
		return
	}
	v := r.signed(33)
	switch {
	case r.err != nil:
	case v < 0 || v >= int64(len(m.types)):
		r.failAt(at, "block type %d of %d", v, len(m.types))
	default:
		in.signature(m.types[v])
		m.features |= featMultiValue
	}
}

// memArg reads the alignment and offset of a load or store.
func (m *Module) memArg(r *reader, at int) {
	align := r.u32()
	r.u32()
	switch {
	case r.err != nil:
	case !m.Memory.Present:
		r.failAt(at, "no memory")
	case align&0x40 != 0:
		r.refuse(at, refusedMultiMemory)
	case align > 3:
		r.failAt(at, "alignment 2^%d", align)
	}
}

// memoryZero reads the byte that stands for the only memory. Engines read one byte
// there, so a longer zero is refused with the other values.
func (m *Module) memoryZero(r *reader, at int) {
	c := r.u8()
	switch {
	case r.err != nil:
	case c != 0:
		r.refuse(at, refusedMultiMemory)
	case !m.Memory.Present:
		r.failAt(at, "no memory")
	}
}

// dataIndex reads the index of a data segment, which needs the data count section.
func (m *Module) dataIndex(r *reader) {
	at := r.pos
	if !m.counted {
		r.failAt(at, "instruction needs a data count section")
		return
	}
	r.index("data segment", m.datas)
}

// misc reads an instruction behind the prefix 0xfc. The engine takes the number for a
// single byte; so do we, lest it read another instruction than was checked.
func (m *Module) misc(r *reader, in *instr) {
	sub := r.u8()
	in.op = opMisc<<8 | uint16(sub)
	switch {
	case r.err != nil:
		return
	case sub <= 7:
		m.features |= featFloatToInt
		return
	case in.op >= opTableGrow && in.op <= opTableFill:
		m.features |= featReferenceTypes
	default:
		m.features |= featBulkMemory
	}
	switch in.op {
	case opMemoryInit:
		m.dataIndex(r)
		m.memoryZero(r, in.start)
	case opDataDrop:
		m.dataIndex(r)
	case opMemoryCopy:
		m.memoryZero(r, in.start)
		m.memoryZero(r, in.start)
	case opMemoryFill:
		m.memoryZero(r, in.start)
	case opTableInit:
		r.index("element segment", m.elements)
		r.index("table", m.tables)
	case opElemDrop:
		r.index("element segment", m.elements)
	case opTableCopy:
		r.index("table", m.tables)
		r.index("table", m.tables)
	case opTableGrow, opTableSize, opTableFill:
		r.index("table", m.tables)
	default:
		r.failAt(in.start, "unknown instruction 0xfc %#x", sub)
	}
}
