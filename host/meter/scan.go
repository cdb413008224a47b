package meter

// A body is a function's code and what rewriting it needs to know.
type body struct {
	raw    []byte // locals and instructions
	base   int    // offset of raw in the module
	groups []byte // the groups of locals, without their number
	runs   uint32 // number of groups
	code   int    // offset in raw of the first instruction
	typ    uint32
	vars   uint32 // parameters and locals
	first  int    // index in Module.costs of the entry's region; those of loops follow
	values int64  // values that an activation may have to keep in the engine's stack
	joins  int64  // those of values that merge assignments to locals
	loops  int64  // how deep loops nest
	live   int64  // values kept at the borders of blocks, and what else compiling costs
	sites  int    // index in Module.sites of its first call
	calls  int    // how many calls it has
	bulk   bool   // it has operations that are charged by their operand
}

// weight is what a call of the function adds to the depth: one, and one more for each
// frameSlots values.
func (b *body) weight() int64 { return 1 + b.values/frameSlots }

// A frame is a block that is open.
type frame struct {
	op     uint16
	region int   // index in Module.costs
	arity  int   // values that a branch to it carries
	sets   int64 // assignments to locals inside
	joins  bool  // control may come to its label from several places
	height int64 // of the operand stack behind its end
}

// decodeCode reads the code section.
func (m *Module) decodeCode(r *reader) {
	n := r.count("bodies", m.Functions, 3)
	m.bodies = make([]body, 0, n)
	var frames []frame
	for i := range n {
		at := r.pos
		size := r.u32()
		if size > MaxFunctionSize {
			r.failAt(at, "body of %d bytes, at most %d are allowed", size, MaxFunctionSize)
		}
		s := r.sub(size)
		if r.err != nil {
			return
		}
		f := m.imported + uint32(i)
		b := body{raw: s.b, base: s.base, typ: m.funcs[f], first: len(m.costs), sites: len(m.sites)}
		m.locals(s, &b)
		frames = m.scan(s, &b, frames[:0])
		if s.err != nil {
			r.err = placed(s.err, m.names.place(f))
			return
		}
		merges := b.joins * (1 + b.loops)
		m.merges += merges
		if merges > MaxFunctionMerges || m.merges > MaxMerges {
			r.failAt(at, "too costly to compile: %d merges of locals, %d in the module; at most %d and %d are allowed",
				merges, m.merges, MaxFunctionMerges, MaxMerges)
			r.err = placed(r.err, m.names.place(f))
			return
		}
		m.live += b.live
		if b.live > MaxFunctionLive || m.live > MaxLive {
			r.failAt(at, "too costly to compile: %d values at the borders of blocks, %d in the module; at most %d and %d are allowed",
				b.live, m.live, MaxFunctionLive, MaxLive)
			r.err = placed(r.err, m.names.place(f))
			return
		}
		m.bodies = append(m.bodies, b)
	}
}

// locals reads the declarations of locals.
func (m *Module) locals(r *reader, b *body) {
	b.runs = uint32(r.count("groups of locals", MaxLocals, 2))
	start := r.pos
	total := uint64(len(m.types[b.typ].params))
	for range b.runs {
		at := r.pos
		total += uint64(r.u32())
		r.valueType()
		if total > MaxLocals {
			r.failAt(at, "more than %d parameters and locals", MaxLocals)
		}
		if r.err != nil {
			return
		}
	}
	b.vars = uint32(total)
	b.groups = r.b[start:r.pos]
	b.code = r.pos
}

// scan reads the instructions of a body: it checks their structure and adds up what
// its regions cost.
//
// A region is what can run, each instruction at most once, when control enters the
// function or passes a loop's header: all of the function, or all of the loop, without
// the loops inside. Blocks and ifs do not start a region, since control moves only
// forward in them. So a charge at the entry pays for all that can run before the next
// charge, and no instruction needs a charge of its own.
func (m *Module) scan(r *reader, b *body, frames []frame) []frame {
	if r.err != nil {
		return frames
	}
	// Locals are set to zero at each entry.
	m.costs, m.calling = append(m.costs, int64(b.vars)), append(m.calling, false)
	b.values = int64(b.vars)
	l := liveness{vars: int64(b.vars), locals: min(int64(len(m.types[b.typ].params)), int64(b.vars)), call: weightGlobal * m.mutable}
	l.cost = l.call + weightLocal*int64(b.vars) // l.call: of asking at the entry
	frames = append(frames, frame{op: opBlock, joins: true, region: b.first, arity: len(m.types[b.typ].results)})
	loops := int64(0)
	var before instr
	for len(frames) > 0 {
		in := m.next(r)
		if r.err != nil {
			return frames
		}
		l.step(in)
		m.note(in)
		top := frames[len(frames)-1]
		cost := 1
		switch in.op {
		case opBlock, opIf:
			cost += in.params + in.results
			frames = append(frames, frame{op: in.op, region: top.region, arity: in.results, joins: in.op == opIf, height: l.height})
		case opLoop:
			cost += in.params + in.results
			frames = append(frames, frame{op: in.op, region: len(m.costs), arity: in.params, height: l.height - int64(in.params)})
			m.costs, m.calling = append(m.costs, 0), append(m.calling, false)
			loops++
			b.loops = max(b.loops, loops)
		case opElse:
			if top.op != opIf {
				r.failAt(in.start, "else outside if")
			}
			frames[len(frames)-1].op = opElse
			l.leave(top.height)
		case opEnd:
			frames = frames[:len(frames)-1]
			l.leave(top.height)
			// Only what is assigned inside can differ between the ways to the label.
			sets := min(top.sets, int64(b.vars))
			if top.joins {
				b.values += sets
				b.joins += sets
			}
			if top.op == opLoop {
				loops--
			}
			if len(frames) > 0 {
				frames[len(frames)-1].sets += sets
			}
		case opBr, opBrIf, opBrTable:
			arity := m.branch(r, b, in, frames)
			cost += arity
			l.carry(arity * (1 + in.targets))
		case opReturn:
			cost += frames[0].arity
			l.carry(frames[0].arity)
		case opCall, opCallIndirect:
			cost += in.params + in.results
			m.sites = append(m.sites, in.index)
			m.calling[top.region] = true
			b.calls++
		case opRefFunc:
			cost += growCost
			m.refer(in.index)
		case opLocalGet, opLocalSet, opLocalTee:
			if in.index >= b.vars {
				r.failAt(in.start, "local %d of %d", in.index, b.vars)
			}
			if in.op != opLocalGet {
				frames[len(frames)-1].sets++
			}
		case opMemoryGrow, opTableGrow:
			cost += growCost
			b.bulk = true
		case opMemoryInit, opMemoryCopy, opMemoryFill, opTableInit, opTableCopy, opTableFill:
			cost += bulkCost
			if in.fixed(before) {
				cost += int(before.index >> bulkShift)
			} else {
				b.bulk = true
			}
		}
		before = in
		if len(frames) > MaxNesting {
			r.failAt(in.start, "more than %d nested blocks", MaxNesting)
		}
		b.values += int64(pushes(in))
		m.costs[top.region] += int64(cost)
	}
	b.live = l.cost
	if r.rest() > 0 {
		r.fail("%d bytes behind the last end", r.rest())
	}
	return frames
}

// branch checks the labels of a branch and returns how many values it moves.
func (m *Module) branch(r *reader, b *body, in instr, frames []frame) int {
	if in.op == opBrTable {
		// The labels were read as numbers; their range is known here alone.
		t := reader{b: r.b, pos: in.start + 1, base: r.base}
		t.u32()
		for range in.targets {
			if l := t.u32(); int64(l) >= int64(len(frames)) {
				r.failAt(in.start, "label %d of %d", l, len(frames))
				return 0
			} else {
				frames[len(frames)-1-int(l)].joins = true
			}
		}
	}
	if int64(in.index) >= int64(len(frames)) {
		r.failAt(in.start, "label %d of %d", in.index, len(frames))
		return 0
	}
	target := &frames[len(frames)-1-int(in.index)]
	target.joins = true
	return target.arity
}

// pushes is how many new values an instruction makes. Their number in a function, with
// its locals and the places where assignments to them merge, is an upper bound of what
// a call of it keeps in the engine's stack: wazero's compiler gives every value that it
// has to spill a place of its own, so the height of the operand stack would be too low.
func pushes(in instr) int {
	switch in.op {
	case opBlock, opIf, opCall, opCallIndirect:
		return in.results
	case opLoop:
		return in.params + in.results
	case opUnreachable, 0x01, opElse, opEnd, opBr, opBrIf, opBrTable, opReturn, opDrop,
		opGlobalSet, opTableSet, opLocalGet,
		opMemoryInit, opDataDrop, opMemoryCopy, opMemoryFill, opTableInit, opElemDrop,
		opTableCopy, opTableFill:
		return 0
	}
	if in.op >= opI32Store && in.op <= opI64Store32 {
		return 0
	}
	return 1
}
