package meter

// A shifter copies parts of a module and renumbers functions on the way. A nil one
// does nothing, so that reading and rewriting share their code.
type shifter struct {
	out   []byte
	index []uint32 // the new index of each function, or leftOut
}

// leftOut is in place of the index of a function that the rewritten module does not have.
// Nothing that it does have names that function.
const leftOut = ^uint32(0)

// added is the number of imports that Rewrite adds.
const added = 2

// function writes the new index of a function.
func (s *shifter) function(f uint32) {
	if s != nil {
		s.out = appendU32(s.out, s.index[f])
	}
}

// number writes a number.
func (s *shifter) number(v uint32) {
	if s != nil {
		s.out = appendU32(s.out, v)
	}
}

// bytes writes bytes of the original.
func (s *shifter) bytes(b []byte) {
	if s != nil {
		s.out = append(s.out, b...)
	}
}

// constExpr reads a constant expression (specification, section 3.3.10) and copies it
// to s. Without the extended proposal it is a single instruction.
func (m *Module) constExpr(r *reader, s *shifter) {
	for first := true; ; first = false {
		at := r.pos
		op := r.u8()
		switch {
		case r.err != nil:
			return
		case op == opEnd:
			if first {
				r.failAt(at, "empty constant expression")
			}
			s.bytes(r.b[at:r.pos])
			return
		case !first:
			r.refuse(at, refusedExtConst)
			return
		}
		switch op {
		case opI32Const:
			r.signed(32)
		case opI64Const:
			r.signed(64)
		case opF32Const:
			r.take(4)
		case opF64Const:
			r.take(8)
		case opGlobalGet:
			r.index("global", m.globals)
		case opRefNull:
			r.refType()
			m.features |= featReferenceTypes
		case opRefFunc:
			f := m.funcIndex(r)
			m.features |= featReferenceTypes
			m.refer(f)
			s.bytes([]byte{opRefFunc})
			s.function(f)
			continue
		case opVector:
			r.refuse(at, refusedSIMD)
		case opGC:
			r.refuse(at, refusedGC)
		default:
			r.failAt(at, "instruction %#x in a constant expression", op)
		}
		if r.err != nil {
			return
		}
		s.bytes(r.b[at:r.pos])
	}
}

// decodeElements reads the element section.
func (m *Module) decodeElements(r *reader) { m.copyElements(r, nil) }

// copyElements reads the element section and copies it to s. A segment's kind is three
// bits: 1 passive or declarative, 2 explicit table (or declarative), 4 expressions in
// place of function indices (specification, section 5.5.12).
func (m *Module) copyElements(r *reader, s *shifter) {
	n := r.count("element segments", MaxElements, 2)
	s.number(uint32(n))
	left := MaxElementEntries
	for range n {
		at := r.pos
		kind := r.u32()
		if kind > 7 {
			r.failAt(at, "unknown kind of element segment %d", kind)
		}
		if kind != 0 {
			m.features |= featBulkMemory
		}
		s.number(kind)
		active := kind&1 == 0
		if active {
			table := uint32(0)
			if kind&2 != 0 {
				table = r.u32()
				s.number(table)
			}
			if r.err == nil && table >= m.tables {
				r.failAt(at, "table %d of %d", table, m.tables)
			}
			m.constExpr(r, s)
		}
		if kind&3 != 0 {
			typ := r.pos
			if kind&4 != 0 {
				r.refType()
			} else if c := r.u8(); r.err == nil && c != 0 {
				r.failAt(typ, "unknown kind of element %#x", c)
			}
			if r.err == nil {
				s.bytes(r.b[typ:r.pos])
			}
		}
		count := r.count("elements", left, 1)
		left -= count
		s.number(uint32(count))
		for range count {
			if kind&4 != 0 {
				m.constExpr(r, s)
			} else {
				f := m.funcIndex(r)
				m.refer(f)
				s.function(f)
			}
			if r.err != nil {
				return
			}
		}
		if r.err != nil {
			return
		}
		m.elements++
	}
}

// decodeData reads the data section, which Rewrite leaves as it is.
func (m *Module) decodeData(r *reader) {
	at := r.pos
	n := r.count("data segments", MaxData, 2)
	if r.err == nil && m.counted && uint32(n) != m.datas {
		r.failAt(at, "%d data segments, %d announced", n, m.datas)
	}
	m.datas = uint32(n)
	for range n {
		at := r.pos
		kind := r.u32()
		switch {
		case r.err != nil:
			return
		case kind > 2:
			r.failAt(at, "unknown kind of data segment %d", kind)
		case kind == 2 && r.u32() != 0:
			r.refuse(at, refusedMultiMemory)
		case kind == 1:
			m.features |= featBulkMemory
		}
		s := segment{passive: kind == 1}
		if kind != 1 {
			if r.err == nil && !m.Memory.Present {
				r.failAt(at, "data without a memory")
			}
			from := r.pos
			m.constExpr(r, nil)
			if r.err == nil {
				s.offset, s.fixed = fixedOffset(r.b[from:r.pos])
			}
		}
		s.bytes = r.take(r.u32())
		if r.err != nil {
			return
		}
		m.segments = append(m.segments, s)
	}
}
