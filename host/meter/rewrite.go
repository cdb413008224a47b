// Package meter rewrites an untrusted WebAssembly module so that running it is bounded
// whatever it does. The engine's own limits do not hold: its deadline is looked at in
// loops alone, a recursion without a loop outlives it by minutes and holds up the
// garbage collection of the whole process meanwhile, and a call stack may take hundreds
// of megabytes that no memory limit counts.
//
// The rewritten module counts fuel, roughly one unit an instruction, in a global that
// it neither exports nor lets its own code reach. It is charged at the entry of each
// function and at the header of each loop for all that can run until the next charge,
// and before each operation on a range of memory or table for the range's length. When
// the fuel is used up, the module calls an imported function of its host, which grants
// more or stops it. It looks for that at loops, at what the host calls, and at each
// function whose calls could spend much in the meantime. Nested calls are bounded in the
// same way, and counted where the module's own calls do not bound them (see callGraph).
//
// # Contract with the host
//
// The host provides the functions [Refill] and [Overflow] of the module [ImportModule].
// Fuel starts at zero, so that the first instruction already asks. An instance that
// trapped must not be entered again. The host calls exports alone and puts no function
// of the module into a table. It bounds the linear memory with its engine's limit; tables
// are bounded here. Features that are not metered (SIMD, threads, tail
// calls, exceptions, several memories, 64-bit memories, garbage collection) are refused;
// what is left is wazero's CoreFeaturesV2 without SIMD, and the engine should be told
// so. Metered code is deterministic: the same run uses the same fuel on any engine.
package meter

import (
	"fmt"
	"slices"
)

// The functions that a rewritten module imports.
const (
	// ImportModule is the module that the host provides them under. A module that
	// itself imports from it is refused.
	ImportModule = "meter"

	// Refill is called with the fuel (i64), which has gone below zero: its negation is
	// the debt of what runs next. It returns the new fuel (i64), which is a slice minus
	// the debt if every unit is to be paid. It may be below zero, in which case the
	// next charge calls again. To stop the module it does not return.
	Refill = "refill"

	// Overflow is called, without parameters or results, when calls nest deeper than
	// Options.Depth. It must not return.
	Overflow = "overflow"
)

// Refuel is the name of the function that a rewritten module has beside its own. It calls
// Refill, so that it stands in traces between that and the function that was stopped.
const Refuel = "meter.refuel"

// Options are what a module is rewritten for.
type Options struct {
	// Depth is how deep calls may nest. A call counts one and, if its function has
	// many locals or makes many values, one more for each 256 of them, since each may
	// take eight bytes of the engine's stack. The longest chain of functions that never
	// come back to themselves is set aside from it for the whole module. Zero takes
	// DefaultDepth.
	Depth uint32

	// Detach names an export. From a module that has it, what data segments set is taken
	// out and its mutable globals are exported, if nothing else makes up the state that an
	// instance begins with. The result is in Module.State, for a host that gives instances
	// their memory and globals in a way of its own. A module of the Go toolchain has 20,000
	// data segments, each of which costs the engine time and 24 bytes in every instance.
	Detach string

	// Uncalled names exports that the host will not call. They are left out, with all
	// functions that only they come to, which the engine need not compile. The rest runs as
	// it would beside them, and uses the same fuel.
	Uncalled []string
}

// Rewrite decodes, checks and rewrites a module. It returns the metered module and what
// the original says about itself. An error from the module's bytes is an *Error.
//
// Nothing is added to the exports, but for Options.Detach. Custom sections are left out, since those of
// debuggers would tell wrong offsets, but for the names of functions and locals, which
// traces show, and Refuel among them.
func Rewrite(wasm []byte, o Options) ([]byte, *Module, error) {
	if o.Depth == 0 {
		o.Depth = DefaultDepth
	}
	if o.Depth > MaxDepth {
		return nil, nil, fmt.Errorf("depth %d, at most %d is allowed", o.Depth, MaxDepth)
	}
	m, err := Decode(wasm)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := m.Export(o.Detach); ok {
		m.State, m.Attached = m.detach()
	}
	w := &rewriter{
		m:        m,
		uncalled: o.Uncalled,
		graph:    m.graph(),
		fuel:     m.globals,
		depth:    m.globals + 1,
		blocks:   make(map[uint32]uint32),
	}
	w.choose()
	w.limitDepth(o.Depth)
	out := make([]byte, 0, len(wasm)+len(wasm)/4+512)
	out = append(out, header...)
	for _, id := range sectionOrder {
		content, err := w.section(id)
		if err != nil {
			return nil, nil, err
		}
		if content != nil {
			out = appendBytes(append(out, id), content)
		}
	}
	if b := w.nameSection(); b != nil {
		out = appendBytes(append(out, secCustom), b)
	}
	if len(out) > MaxRewrittenSize {
		return nil, nil, tooLong()
	}
	return out, m, nil
}

// tooLong is the error of a module that grows too much.
func tooLong() error {
	return &Error{Reason: fmt.Sprintf("metered module is longer than %d bytes", MaxRewrittenSize)}
}

// section makes the content of a section, nil if there is to be none.
func (w *rewriter) section(id byte) ([]byte, error) {
	w.out = nil
	r := w.m.sections[id]
	if r != nil {
		r = &reader{b: r.b, base: r.base}
	}
	switch id {
	case secType:
		w.typeSection(r)
	case secImport:
		w.importSection(r)
	case secFunction:
		w.functionSection()
	case secTable:
		w.tableSection(r)
	case secGlobal:
		w.globalSection(r)
	case secExport:
		w.exportSection(r)
	case secStart:
		if r != nil {
			w.function(r.u32())
		}
	case secElement:
		if r != nil {
			w.m.elements = 0
			w.m.copyElements(r, &w.shifter)
		}
	case secCode:
		if w.m.Functions > 0 {
			return w.codeSection()
		}
	case secData, secDataCount:
		if r != nil && w.m.State == nil {
			w.out = r.b
		}
	default:
		if r != nil {
			w.out = r.b
		}
	}
	return w.out, nil
}

// extend starts a vector that is longer by n than the original and copies that.
func (w *rewriter) extend(r *reader, n uint32) {
	if r == nil {
		w.number(n)
		return
	}
	w.number(r.u32() + n)
	w.bytes(r.b[r.pos:])
}

// typeSection adds the types of the two imports and of the blocks around functions with
// several results.
func (w *rewriter) typeSection(r *reader) {
	next := uint32(len(w.m.types)) + added
	var order []uint32
	for i := range w.m.bodies {
		t := w.m.bodies[i].typ
		if _, ok := w.blocks[t]; ok || len(w.m.types[t].results) < 2 {
			continue
		}
		w.blocks[t] = next
		next++
		order = append(order, t)
	}
	w.extend(r, next-uint32(len(w.m.types)))
	w.out = append(w.out, 0x60, 1, byte(I64), 1, byte(I64), 0x60, 0, 0)
	for _, t := range order {
		results := w.m.types[t].results
		w.out = append(w.out, 0x60, 0)
		w.number(uint32(len(results)))
		for _, v := range results {
			w.op(byte(v))
		}
	}
}

// importSection adds the two imports behind the original ones, so that the indices of
// imported functions stay.
func (w *rewriter) importSection(r *reader) {
	w.extend(r, added)
	for i, name := range [added]string{Refill, Overflow} {
		w.out = appendName(appendName(w.out, ImportModule), name)
		w.op(byte(KindFunction))
		w.number(uint32(len(w.m.types) + i))
	}
}

// functionSection lists the types of the functions that are kept, and adds the one that
// asks for fuel, if there is one to call it.
func (w *rewriter) functionSection() {
	if w.m.Functions == 0 {
		return
	}
	w.number(w.refuel + 1 - added - w.m.imported)
	for i := range w.m.bodies {
		if w.index[w.m.imported+uint32(i)] != leftOut {
			w.number(w.m.bodies[i].typ)
		}
	}
	w.number(uint32(len(w.m.types)) + 1) // that of Overflow, which takes and gives nothing
}

// tableSection lowers the maximum of each table to MaxTableEntries. That table.grow
// fails beyond it is within the specification.
func (w *rewriter) tableSection(r *reader) {
	if r == nil {
		return
	}
	n := r.u32()
	w.number(n)
	for range n {
		t := r.refType()
		minimum, maximum := r.limits(MaxTableEntries)
		w.op(byte(t))
		w.op(1)
		w.number(minimum)
		w.number(min(maximum, MaxTableEntries))
	}
}

// globalSection adds the fuel and, where something counts it, the depth behind the
// original globals. The compiler makes code for each global that can change behind each
// call.
func (w *rewriter) globalSection(r *reader) {
	added := uint32(1)
	if w.counting {
		added++
	}
	if r == nil {
		w.number(added)
	} else {
		n := r.u32()
		w.number(n + added)
		for range n {
			at := r.pos
			r.valueType()
			r.u8()
			w.bytes(r.b[at:r.pos])
			w.m.constExpr(r, &w.shifter)
		}
	}
	w.out = append(w.out, byte(I64), 1, opI64Const, 0, opEnd)
	if w.counting {
		w.out = append(w.out, byte(I32), 1, opI32Const, 0, opEnd)
	}
}

// exportSection renumbers exported functions, and leaves out what nothing calls.
func (w *rewriter) exportSection(r *reader) {
	added := 0
	if w.m.State != nil {
		added = len(w.m.State.Globals)
	}
	if r == nil && added == 0 {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(w.m.Exports), w.isUncalled)
	w.number(uint32(len(kept) + added))
	for _, e := range kept {
		w.out = appendName(w.out, e.Name)
		w.op(byte(e.Kind))
		if e.Kind == KindFunction {
			w.function(e.Index)
		} else {
			w.number(e.Index)
		}
	}
	if w.m.State != nil {
		w.exportState()
	}
}

// codeSection meters every body.
func (w *rewriter) codeSection() ([]byte, error) {
	out := appendU32(nil, w.refuel+1-added-w.m.imported)
	for i := range w.m.bodies {
		f := w.m.imported + uint32(i)
		if w.index[f] == leftOut {
			continue
		}
		w.out = w.out[:0]
		w.body(f, &w.m.bodies[i])
		out = appendBytes(out, w.out)
		if len(out) > MaxRewrittenSize {
			return nil, tooLong()
		}
	}
	w.out = w.out[:0]
	w.refuelBody()
	return appendBytes(out, w.out), nil
}
