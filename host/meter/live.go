package meter

// Weights of what a compiler to SSA form and machine code does with a function, in
// values that are kept at a block's border, each of which takes wazero about 0.3 us and
// 50 bytes. All were measured with functions that have little else.
const (
	weightInstr  = 32 // an instruction: the most costly is a load with its check
	weightTarget = 64 // a target of br_table: a block of its own
	weightValue  = 8  // a parameter or result of a call or block, or what a branch carries
	weightLocal  = 8  // a local, whose type alone takes as many bytes until all is compiled
	weightGlobal = 4  // a global that can change, for a call: it is loaded again behind it

	// fillBlocks is how many blocks wazero makes for a fill of memory or a table, which it
	// compiles to a loop that copies ever more.
	fillBlocks = 3

	// blocksShift makes one unit of 64 blocks that are there already when another is
	// made: some passes look at all of them for each.
	blocksShift = 6
)

// A liveness adds up what a function costs to compile beyond its length. A value that is
// made before a thousand blocks and used behind them is noted in each: a module of
// 400 KB can have an engine note hundreds of millions.
type liveness struct {
	cost   int64
	height int64 // of the operand stack; an upper bound in code that cannot be reached
	blocks int64
	locals int64 // that may have been assigned to
	vars   int64
	call   int64 // what globals add to a call
}

// step notes an instruction.
func (l *liveness) step(in instr) {
	l.cost += weightInstr + weightTarget*int64(in.targets)
	switch in.op {
	case opCall, opCallIndirect, opBlock, opLoop, opIf:
		l.carry(in.params + in.results)
	}
	switch in.op { // and where the meter calls something
	case opCall, opCallIndirect, opLoop, opMemoryGrow, opMemoryInit, opMemoryCopy, opMemoryFill,
		opTableGrow, opTableInit, opTableCopy, opTableFill:
		l.cost += l.call
	}
	switch in.op {
	case opBlock, opLoop, opIf, opElse, opEnd, opBrIf:
		l.border(1)
	case opBrTable:
		l.border(1 + int64(in.targets))
	case opMemoryFill, opTableFill:
		l.border(fillBlocks)
	case opLocalSet, opLocalTee:
		l.locals = min(l.locals+1, l.vars)
	}
	l.height = max(l.height+moves(in), 0)
}

// plainMoves is what moves says of instructions of one byte but calls and blocks, whose
// types it depends on.
var plainMoves = func() (t [256]int8) {
	for c := range t {
		t[c] = int8(movesOf(instr{op: uint16(c)}))
	}
	return t
}()

// moves is by how much an instruction makes the operand stack higher.
func moves(in instr) int64 {
	switch in.op {
	case opBlock, opLoop, opIf, opCall, opCallIndirect:
		return movesOf(in)
	}
	if in.op < 256 {
		return int64(plainMoves[in.op])
	}
	return movesOf(in)
}

func movesOf(in instr) int64 {
	n := int64(pushes(in)) - pops(in)
	switch in.op { // which makes no new value, and whose new value is not on the stack
	case opLocalGet:
		n++
	case opLocalSet:
		n--
	}
	return n
}

// border notes new blocks, before which all is kept that is on the operand stack and
// in locals.
func (l *liveness) border(blocks int64) {
	l.blocks += blocks
	l.cost += blocks * (1 + l.height + l.locals + l.blocks>>blocksShift)
}

// carry notes values that go to a place of their own, as those of calls and branches do.
func (l *liveness) carry(values int) { l.cost += weightValue * int64(values) }

// leave takes from the stack what code that cannot be reached left there: at the end of
// a block there is what was there at its start, and its results.
func (l *liveness) leave(height int64) { l.height = height }

// pops is how many operands an instruction takes, those that a block takes over and a
// branch may carry left out.
func pops(in instr) int64 {
	c := in.op
	switch {
	case c == opCall:
		return int64(in.params)
	case c == opCallIndirect:
		return int64(in.params) + 1
	case c == opSelect, c == opSelectTyped, c >= opMemoryInit && c <= opTableFill &&
		c != opDataDrop && c != opElemDrop && c != opTableGrow && c != opTableSize:
		return 3
	case c == opTableSet, c == opTableGrow, c >= opI32Store && c <= opI64Store32,
		c > opI32Eqz && c < 0x67 && c != 0x50, // comparisons, without i64.eqz
		c >= opI32Add && c <= 0x78, c >= 0x7c && c <= 0x8a, c >= 0x92 && c <= 0x98, c >= 0xa0 && c <= 0xa6:
		return 2
	case c == opIf, c == opBrIf, c == opBrTable, c == opDrop, c == opLocalSet, c == opLocalTee, c == opGlobalSet,
		c == opTableGet, c >= opI32Load && c < opI32Store, c == opMemoryGrow, c >= opI32Eqz && c <= opI64Extend32,
		c == opRefIsNull, c >= opMisc<<8 && c <= opMisc<<8+7:
		return 1
	}
	return 0
}
