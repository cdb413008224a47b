package meter

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Subsections of the name section (specification, section 7.4.1). Those that later
// proposals added (labels, types, ...) appear in no trace and are left out.
const (
	namesModule   = 0
	namesFunction = 1
	namesLocal    = 2
)

// names is what a name section says. The zero value is an absent one.
type names struct {
	module    string
	functions []nameEntry
	locals    []localNames
}

// A nameEntry names the function or local of an index.
type nameEntry struct {
	index uint32
	name  string
}

// A localNames holds the names of a function's locals.
type localNames struct {
	function uint32
	names    []nameEntry
}

// decodeNames reads a name section. What is broken is left out: the specification
// wants a module to be valid whatever its custom sections hold, and the engine, which
// would believe a count of four billion names, sees only what was understood here.
func decodeNames(b []byte) names {
	var n names
	r := &reader{b: b}
	last := -1
	for r.rest() > 0 {
		id := int(r.u8())
		s := r.sub(r.u32())
		if s.err != nil || id <= last {
			return n
		}
		last = id
		switch id {
		case namesModule:
			if name := s.name(); s.err == nil {
				n.module = name
			}
		case namesFunction:
			if l := s.nameMap(); s.err == nil {
				n.functions = l
			}
		case namesLocal:
			if l := s.localNames(); s.err == nil {
				n.locals = l
			}
		}
	}
	return n
}

// nameMap reads a vector of indices and names in ascending order, without those that
// are too long or not UTF-8.
func (r *reader) nameMap() []nameEntry {
	count := r.count("names", MaxModuleSize, 2)
	l := make([]nameEntry, 0, count)
	for i := range count {
		e := nameEntry{index: r.u32()}
		name := r.take(r.u32())
		if r.err != nil {
			return nil
		}
		if i > 0 && len(l) > 0 && e.index <= l[len(l)-1].index {
			r.fail("names out of order")
			return nil
		}
		if len(name) > MaxName || !utf8.Valid(name) {
			continue
		}
		e.name = string(name)
		l = append(l, e)
	}
	return l
}

// localNames reads the names of the locals of functions in ascending order.
func (r *reader) localNames() []localNames {
	count := r.count("functions", MaxModuleSize, 2)
	l := make([]localNames, 0, count)
	for range count {
		f := localNames{function: r.u32(), names: r.nameMap()}
		if len(l) > 0 && f.function <= l[len(l)-1].function {
			r.fail("names out of order")
		}
		if r.err != nil {
			return nil
		}
		l = append(l, f)
	}
	return l
}

// function finds the name of a function.
func (n *names) function(f uint32) (string, bool) {
	low, high := 0, len(n.functions)
	for low < high {
		mid := (low + high) / 2
		if n.functions[mid].index < f {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(n.functions) && n.functions[low].index == f {
		return n.functions[low].name, true
	}
	return "", false
}

// place names a function in errors.
func (n *names) place(f uint32) string {
	if name, ok := n.function(f); ok {
		return fmt.Sprintf("function %d %q", f, name)
	}
	return fmt.Sprintf("function %d", f)
}

// nameSection writes the name section with the functions' new indices and the name of the
// one that was added, or nothing if there are no names at all. Functions that do not exist
// any more, or never did, are left out.
func (w *rewriter) nameSection() []byte {
	m := w.m
	n := &m.names
	if n.module == "" && len(n.functions) == 0 && len(n.locals) == 0 && m.Functions == 0 {
		return nil
	}
	out := appendName(nil, "name")
	sub := func(id byte, b []byte) {
		out = appendBytes(append(out, id), b)
	}
	if n.module != "" {
		sub(namesModule, appendName(nil, n.module))
	}
	gone := func(f uint32) bool { return f >= uint32(len(w.index)) || w.index[f] == leftOut }
	n.functions = slices.DeleteFunc(n.functions, func(e nameEntry) bool { return gone(e.index) })
	n.locals = slices.DeleteFunc(n.locals, func(l localNames) bool { return gone(l.function) })
	if named := uint32(len(n.functions)); named > 0 || m.Functions > 0 {
		if m.Functions > 0 {
			named++
		}
		b := appendU32(nil, named)
		for _, e := range n.functions {
			b = appendName(appendU32(b, w.index[e.index]), e.name)
		}
		if m.Functions > 0 {
			b = appendName(appendU32(b, w.refuel), Refuel)
		}
		sub(namesFunction, b)
	}
	if len(n.locals) > 0 {
		b := appendU32(nil, uint32(len(n.locals)))
		for _, f := range n.locals {
			b = appendU32(appendU32(b, w.index[f.function]), uint32(len(f.names)))
			for _, e := range f.names {
				b = appendName(appendU32(b, e.index), e.name)
			}
		}
		sub(namesLocal, b)
	}
	return out
}
