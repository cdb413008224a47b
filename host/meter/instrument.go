package meter

// A rewriter makes the metered code of one function after the other.
type rewriter struct {
	shifter
	m        *Module
	graph    *callGraph
	deep     bool   // chains of calls are too long not to count them: see limitDepth
	counting bool   // some function counts depth
	limit    uint32 // of depth
	fuel     uint32 // index of the global that counts fuel
	depth    uint32 // index of the global that counts depth
	refill   uint32 // index of the imported function
	overflow uint32
	uncalled []string // exports that are left out

	// refuel is the index of the function that asks for fuel. The module gets it behind its
	// own, since a call of one of those is cheaper to compile than one of an import.
	refuel uint32
	blocks map[uint32]uint32 // type of a function with several results -> type of its block
}

// body writes the metered body of a function:
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
// that trapped must not be entered again. The block and what is around it are there only
// for a function that counts (see callGraph).
func (w *rewriter) body(f uint32, b *body) {
	length := b.vars // index of the local that keeps the operand to charge for
	if b.bulk {
		w.number(b.runs + 1)
		w.bytes(b.groups)
		w.out = append(w.out, 1, byte(I32))
	} else {
		w.number(b.runs)
		w.bytes(b.groups)
	}

	node := &w.graph.nodes[f]
	counts := w.counts(f)
	if counts {
		w.enter(b.weight())
	}
	region := b.first
	if node.spends > 0 {
		w.spend(w.m.costs[region])
	} else {
		w.charge(w.m.costs[region])
	}
	if counts {
		w.block(b)
	}

	r := &reader{b: b.raw, pos: b.code, base: b.base}
	nesting := uint32(0)
	var in, before instr
	kept := b.code // what is to be copied begins there
	for {
		before, in = in, w.m.next(r)
		switch in.op {
		case opBlock, opIf:
			nesting++
		case opLoop:
			nesting++
			kept = w.keep(r, kept, r.pos)
			region++
			if w.m.calling[region] {
				// What is live is spilled in this loop anyway: one more call costs little
				// when it runs, and much less to compile than two more blocks.
				w.spend(w.m.costs[region])
				w.opIndex(opCall, w.refuel)
			} else {
				w.charge(w.m.costs[region])
			}
		case opEnd:
			if nesting > 0 {
				nesting--
				continue
			}
			w.keep(r, kept, r.pos)
			if counts {
				w.leave(b.weight())
				w.op(opEnd)
			}
			return
		case opReturn:
			if counts {
				w.keep(r, kept, in.start)
				w.op(opBr)
				w.number(nesting)
				kept = r.pos
			}
		case opCall, opCallIndirect:
			kept = w.keep(r, kept, in.start)
			if node.careful && w.graph.nodes[w.graph.target(in.index)].spends > 0 {
				w.opIndex(opCall, w.refuel)
			}
			if in.op == opCall {
				w.op(opCall)
				w.shifter.function(in.index)
				kept = r.pos
			}
		case opRefFunc:
			w.keep(r, kept, in.start)
			w.op(opRefFunc)
			w.shifter.function(in.index)
			kept = r.pos
		case opMemoryGrow:
			kept = w.keep(r, kept, in.start)
			w.chargeOperand(growShift, length)
		case opMemoryInit, opMemoryCopy, opMemoryFill:
			if !in.fixed(before) {
				kept = w.keep(r, kept, in.start)
				w.chargeOperand(-bulkShift, length)
			}
		case opTableGrow, opTableInit, opTableCopy, opTableFill:
			kept = w.keep(r, kept, in.start)
			w.chargeOperand(0, length)
		}
	}
}

// keep copies what lies between two places of a body, and returns the second.
func (w *rewriter) keep(r *reader, from, to int) int {
	w.bytes(r.b[from:to])
	return to
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

// charge takes a region's cost from the fuel, and asks for more.
func (w *rewriter) charge(cost int64) {
	w.spend(cost)
	w.ask()
}

// spend takes a cost from the fuel.
func (w *rewriter) spend(cost int64) {
	w.opIndex(opGlobalGet, w.fuel)
	w.opConst(opI64Const, cost)
	w.op(opI64Sub)
	w.opIndex(opGlobalSet, w.fuel)
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
	w.op(opI64Sub)
	w.opIndex(opGlobalSet, w.fuel)
	w.opIndex(opCall, w.refuel)
}

// ask asks for more fuel if it went below zero. Keeping its value in a local besides was
// measured to gain nothing. It stands where a block begins in the original too: anywhere
// else its own blocks would cost more to compile than what the function was taken to (see
// liveness), so that refuel is called there whatever the fuel is.
func (w *rewriter) ask() {
	w.opIndex(opGlobalGet, w.fuel)
	w.opConst(opI64Const, 0)
	w.op(opI64LtS)
	w.out = append(w.out, opIf, blockEmpty)
	w.opIndex(opCall, w.refuel)
	w.op(opEnd)
}

// refuelBody writes the function that asks the host, if the fuel went below zero.
func (w *rewriter) refuelBody() {
	w.number(0)
	w.opIndex(opGlobalGet, w.fuel)
	w.opConst(opI64Const, 0)
	w.op(opI64LtS)
	w.out = append(w.out, opIf, blockEmpty)
	w.opIndex(opGlobalGet, w.fuel)
	w.opIndex(opCall, w.refill)
	w.opIndex(opGlobalSet, w.fuel)
	w.op(opEnd)
	w.op(opEnd)
}
