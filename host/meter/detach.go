package meter

import (
	"fmt"
	"math"
)

// MaxDetached bounds the memory that data segments may set for Options.Detach, in bytes.
// The host keeps a copy of it for as long as the module is loaded.
const MaxDetached = 64 << 20

// A State is what an instance begins with and its module does not hold any more. A host
// that gives an instance both makes it what the whole module would have made, and one
// that keeps them from an instance that has run a while can begin others there.
type State struct {
	// Memory is what data segments set, from address 0 up to their last byte. What lies
	// behind it is zero.
	Memory []byte

	// Globals are the module's mutable globals, exported by the rewritten module under
	// names that the original does not export.
	Globals []Global
}

// A Global is a mutable global of a number type.
type Global struct {
	Export string
	Type   ValueType
}

// A globalType is the type of a global that the module defines or imports.
type globalType struct {
	typ     ValueType
	mutable bool
}

// A segment is a data segment.
type segment struct {
	passive bool
	fixed   bool   // its offset is a constant
	offset  uint32 // the constant
	bytes   []byte
}

// note looks for what makes a module's state more than its memory and globals.
func (m *Module) note(in instr) {
	switch in.op {
	case opMemoryInit, opDataDrop:
		m.usesData = true
	case opTableSet, opTableGrow, opTableFill, opTableCopy, opTableInit, opElemDrop:
		m.changesTables = true
	}
}

// detach takes the module's data out of it, or says why it cannot be.
func (m *Module) detach() (*State, string) {
	switch {
	case m.Start:
		return nil, "it has a start function"
	case m.changesTables:
		return nil, "it changes its tables"
	case m.usesData:
		return nil, "it copies data segments itself"
	case !m.Memory.Present || m.Memory.Imported:
		return nil, "it has no memory of its own"
	}
	s := &State{}
	for i, g := range m.globalTypes {
		switch {
		case !g.mutable:
			continue
		case g.typ == FuncRef || g.typ == ExternRef:
			return nil, "a global refers to something outside of the memory"
		case uint32(i) < m.importedGlobals:
			return nil, "it imports a global that changes"
		}
		name := fmt.Sprintf("global %d", i)
		for _, taken := m.Export(name); taken; _, taken = m.Export(name) {
			name += "'"
		}
		s.Globals = append(s.Globals, Global{Export: name, Type: g.typ})
	}
	end := uint64(0)
	for _, d := range m.segments {
		if d.passive {
			continue // nothing can copy it: there is no memory.init
		}
		if !d.fixed {
			return nil, "a data segment's place is not a constant"
		}
		end = max(end, uint64(d.offset)+uint64(len(d.bytes)))
	}
	switch {
	case end > uint64(m.Memory.Min)<<16:
		return nil, "a data segment does not fit the memory"
	case end > MaxDetached:
		return nil, fmt.Sprintf("its data ends at %d, at most %d is kept", end, MaxDetached)
	}
	s.Memory = make([]byte, end)
	for _, d := range m.segments {
		if !d.passive {
			copy(s.Memory[d.offset:], d.bytes)
		}
	}
	return s, ""
}

// exportState adds the mutable globals to the exports.
func (w *rewriter) exportState() {
	next := 0
	for i, g := range w.m.globalTypes {
		if g.mutable {
			w.out = appendName(w.out, w.m.State.Globals[next].Export)
			w.op(byte(KindGlobal))
			w.number(uint32(i))
			next++
		}
	}
}

// fixedOffset reads the constant expression of an i32, which was checked before.
func fixedOffset(expr []byte) (uint32, bool) {
	if len(expr) == 0 || expr[0] != opI32Const {
		return 0, false
	}
	r := &reader{b: expr, pos: 1}
	v := r.signed(32)
	return uint32(v & math.MaxUint32), r.err == nil
}
