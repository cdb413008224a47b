package meter

// A rewriter makes the metered code of one function after the other.
type rewriter struct {
	shifter
	m        *Module
	limit    uint32 // of depth
	fuel     uint32 // index of the global that counts fuel
	depth    uint32 // index of the global that counts depth
	refill   uint32 // index of the imported function
	overflow uint32
	blocks   map[uint32]uint32 // type of a function with several results -> type of its block
}

// body writes a metered body, which is for a function that calls something:
//
//	depth += weight; if depth > limit { overflow() }
//	charge(cost of the entry's region)
//	block (results)
//	    the code, in which return is a branch to this block
//	end
//	depth -= weight
//
// In place of the function's label the code now has the block's, under the same
// number, so that branches stay as they are. A trap leaves depth as it was: an instance
// that trapped must not be entered again.
//
// A function that calls nothing is the last of its chain, so if it is small the depth
// of its callers bounds it well enough and it needs neither counting nor the block.
func (w *rewriter) body(b *body) {
	flat := !b.calls && b.values < frameSlots
	length := b.vars // index of the local that keeps the operand to charge for
	if b.bulk {
		w.number(b.runs + 1)
		w.bytes(b.groups)
		w.out = append(w.out, 1, byte(I32))
	} else {
		w.number(b.runs)
		w.bytes(b.groups)
	}

	weight := 1 + b.values/frameSlots
	if !flat {
		w.enter(weight)
	}
	region := b.first
	w.charge(w.m.costs[region])
	if !flat {
		w.block(b)
	}

	r := &reader{b: b.raw, pos: b.code, base: b.base}
	nesting := uint32(0)
	for {
		in := w.m.next(r)
		switch in.op {
		case opBlock, opIf:
			nesting++
			w.bytes(r.b[in.start:r.pos])
		case opLoop:
			nesting++
			w.bytes(r.b[in.start:r.pos])
			region++
			w.charge(w.m.costs[region])
		case opEnd:
			w.op(opEnd)
			if nesting > 0 {
				nesting--
				continue
			}
			if !flat {
				w.leave(weight)
				w.op(opEnd)
			}
			return
		case opReturn:
			if flat {
				w.op(opReturn)
			} else {
				w.op(opBr)
				w.number(nesting)
			}
		case opCall, opRefFunc:
			w.op(byte(in.op))
			w.shifter.function(in.index)
		case opMemoryGrow:
			w.chargeOperand(growShift, length)
			w.bytes(r.b[in.start:r.pos])
		case opMemoryInit, opMemoryCopy, opMemoryFill:
			w.chargeOperand(-bulkShift, length)
			w.bytes(r.b[in.start:r.pos])
		case opTableGrow, opTableInit, opTableCopy, opTableFill:
			w.chargeOperand(0, length)
			w.bytes(r.b[in.start:r.pos])
		default:
			w.bytes(r.b[in.start:r.pos])
		}
	}
}

// op writes an opcode.
func (w *rewriter) op(c byte) { w.out = append(w.out, c) }

// opIndex writes an opcode and an index.
func (w *rewriter) opIndex(c byte, i uint32) {
	w.out = appendU32(append(w.out, c), i)
}

// opConst writes a constant.
func (w *rewriter) opConst(c byte, v int64) {
	w.out = appendS64(append(w.out, c), v)
}

// block opens the block around a function's code.
func (w *rewriter) block(b *body) {
	w.op(opBlock)
	switch results := w.m.types[b.typ].results; len(results) {
	case 0:
		w.op(blockEmpty)
	case 1:
		w.op(byte(results[0]))
	default:
		w.out = appendS64(w.out, int64(w.blocks[b.typ]))
	}
}

// enter adds to the depth and checks it, before any of the function runs.
func (w *rewriter) enter(weight int64) {
	w.opIndex(opGlobalGet, w.depth)
	w.opConst(opI32Const, weight)
	w.op(opI32Add)
	w.opIndex(opGlobalSet, w.depth)
	w.opIndex(opGlobalGet, w.depth)
	w.opConst(opI32Const, int64(w.limit))
	w.op(opI32GtU)
	w.out = append(w.out, opIf, blockEmpty)
	w.opIndex(opCall, w.overflow)
	w.op(opEnd)
}

// leave takes from the depth what enter added.
func (w *rewriter) leave(weight int64) {
	w.opIndex(opGlobalGet, w.depth)
	w.opConst(opI32Const, weight)
	w.op(opI32Sub)
	w.opIndex(opGlobalSet, w.depth)
}

// charge takes a region's cost from the fuel.
func (w *rewriter) charge(cost int64) {
	w.opIndex(opGlobalGet, w.fuel)
	w.opConst(opI64Const, cost)
	w.settle()
}

// chargeOperand takes the operand on the stack, an unsigned length shifted left or
// (negative) right, from the fuel before the operation that follows uses it. No length
// can make the fuel wrap: 32 bits shifted by growShift stay far below 63.
func (w *rewriter) chargeOperand(shift int64, length uint32) {
	w.opIndex(opLocalTee, length)
	w.opIndex(opGlobalGet, w.fuel)
	w.opIndex(opLocalGet, length)
	w.op(opI64ExtendU)
	if shift > 0 {
		w.opConst(opI64Const, shift)
		w.op(opI64Shl)
	} else if shift < 0 {
		w.opConst(opI64Const, -shift)
		w.op(opI64ShrU)
	}
	w.settle()
}

// settle subtracts, stores the fuel and asks for more if it went below zero. Keeping the
// new value in a local besides was measured to gain nothing.
func (w *rewriter) settle() {
	w.op(opI64Sub)
	w.opIndex(opGlobalSet, w.fuel)
	w.opIndex(opGlobalGet, w.fuel)
	w.opConst(opI64Const, 0)
	w.op(opI64LtS)
	w.out = append(w.out, opIf, blockEmpty)
	w.opIndex(opGlobalGet, w.fuel)
	w.opIndex(opCall, w.refill)
	w.opIndex(opGlobalSet, w.fuel)
	w.op(opEnd)
}
