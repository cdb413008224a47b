package meter

// decodeTypes reads the type section.
func (m *Module) decodeTypes(r *reader) {
	n := r.count("types", MaxTypes, 3)
	m.types = make([]funcType, 0, n)
	written := 0
	for range n {
		at := r.pos
		switch form := r.u8(); {
		case r.err != nil:
		case form == 0x60:
		case form >= 0x4e && form <= 0x5f:
			r.refuse(at, refusedGC)
		default:
			r.failAt(at, "unknown form of type %#x", form)
		}
		t := funcType{params: r.valueTypes("parameters"), results: r.valueTypes("results")}
		if r.err != nil {
			return
		}
		values := len(t.params) + len(t.results)
		if written += values * values; written > MaxSignatures {
			r.failAt(at, "too costly to compile: types have too many parameters and results")
			return
		}
		if len(t.results) > 1 {
			m.features |= featMultiValue
		}
		m.types = append(m.types, t)
	}
}

// valueTypes reads a vector of value types.
func (r *reader) valueTypes(what string) []ValueType {
	n := r.count(what, MaxValues, 1)
	if n == 0 {
		return nil
	}
	l := make([]ValueType, n)
	for i := range l {
		l[i] = r.valueType()
	}
	return l
}

// typeIndex reads the index of a type.
func (m *Module) typeIndex(r *reader) uint32 {
	return r.index("type", uint32(len(m.types)))
}

// funcIndex reads the index of a function.
func (m *Module) funcIndex(r *reader) uint32 {
	return r.index("function", uint32(len(m.funcs)))
}

// index reads an index below n.
func (r *reader) index(what string, n uint32) uint32 {
	at := r.pos
	i := r.u32()
	if r.err == nil && i >= n {
		r.failAt(at, "%s %d of %d", what, i, n)
	}
	if r.err != nil {
		return 0
	}
	return i
}

// decodeImports reads the import section.
func (m *Module) decodeImports(r *reader) {
	n := r.count("imports", MaxImports, 4)
	m.Imports = make([]Import, 0, n)
	for range n {
		at := r.pos
		i := Import{Module: r.name(), Name: r.name(), Kind: Kind(r.u8())}
		if r.err != nil {
			return
		}
		// A guest that could call refill would meter itself.
		if i.Module == ImportModule {
			r.failAt(at, "module %q is the meter's own", ImportModule)
			return
		}
		switch i.Kind {
		case KindFunction:
			t := m.typeIndex(r)
			if r.err != nil {
				return
			}
			m.funcs = append(m.funcs, t)
			i.Params, i.Results = m.types[t].params, m.types[t].results
		case KindTable:
			m.table(r)
		case KindMemory:
			m.memory(r, true)
		case KindGlobal:
			if m.global(r) {
				m.features |= featMutableGlobal
			}
			m.importedGlobals++
		default:
			m.unknownKind(r, at, i.Kind)
		}
		if r.err != nil {
			return
		}
		m.Imports = append(m.Imports, i)
	}
	m.imported = uint32(len(m.funcs))
}

// unknownKind refuses an import or export of a kind that is not in the specification.
func (m *Module) unknownKind(r *reader, at int, k Kind) {
	if k == 4 {
		r.refuse(at, refusedExceptions)
		return
	}
	r.failAt(at, "unknown kind %d", byte(k))
}

// decodeFunctions reads the function section.
func (m *Module) decodeFunctions(r *reader) {
	m.Functions = r.count("functions", MaxFunctions, 1)
	for range m.Functions {
		m.funcs = append(m.funcs, m.typeIndex(r))
	}
}

// refer notes that a function may be called through a table.
func (m *Module) refer(f uint32) {
	if m.referenced == nil {
		m.referenced = make([]bool, len(m.funcs))
	}
	if int(f) < len(m.referenced) {
		m.referenced[f] = true
	}
}

// decodeTables reads the table section.
func (m *Module) decodeTables(r *reader) {
	for range r.count("tables", MaxTables, 3) {
		m.table(r)
	}
}

// table reads a table type.
func (m *Module) table(r *reader) (t ValueType, minimum, maximum uint32) {
	at := r.pos
	if r.rest() > 0 && r.b[r.pos] == 0x40 {
		r.refuse(at, refusedTypedFunc)
	}
	t = r.refType()
	minimum, maximum = r.limits(^uint32(0))
	m.tables++
	switch {
	case r.err != nil:
	case m.tables > MaxTables:
		r.failAt(at, "more than %d tables", MaxTables)
	case minimum > MaxTableEntries:
		r.failAt(at, "table of %d entries, at most %d are allowed", minimum, MaxTableEntries)
	case t == ExternRef || m.tables > 1:
		m.features |= featReferenceTypes
	}
	return t, minimum, maximum
}

// decodeMemories reads the memory section.
func (m *Module) decodeMemories(r *reader) {
	for range r.count("memories", MaxModuleSize, 2) {
		m.memory(r, false)
		if r.err != nil {
			return
		}
	}
}

// memory reads a memory type.
func (m *Module) memory(r *reader, imported bool) {
	at := r.pos
	minimum, maximum := r.limits(MaxPages)
	switch {
	case r.err != nil:
	case m.Memory.Present:
		r.refuse(at, refusedMultiMemory)
	case maximum > MaxPages:
		r.failAt(at, "memory of %d pages, at most %d are possible", maximum, MaxPages)
	default:
		m.Memory = Memory{Present: true, Imported: imported, Min: minimum, Max: maximum}
	}
}

// decodeGlobals reads the global section.
func (m *Module) decodeGlobals(r *reader) {
	for range r.count("globals", MaxGlobals, 4) {
		m.global(r)
		m.constExpr(r, nil)
	}
}

// global reads a global's type and tells whether it is mutable.
func (m *Module) global(r *reader) bool {
	t := r.valueType()
	at := r.pos
	flag := r.u8()
	m.globals++
	m.globalTypes = append(m.globalTypes, globalType{typ: t, mutable: flag == 1})
	switch {
	case flag == 1:
		m.mutable++
	case flag == 2 || flag == 3:
		r.refuse(at, refusedThreads)
	case flag > 3:
		r.failAt(at, "unknown mutability %#x", flag)
	}
	return flag == 1
}

// decodeExports reads the export section.
func (m *Module) decodeExports(r *reader) {
	n := r.count("exports", MaxExports, 3)
	m.Exports = make([]Export, 0, n)
	seen := make(map[string]bool, n)
	for range n {
		at := r.pos
		e := Export{Name: r.name(), Kind: Kind(r.u8())}
		if r.err == nil && seen[e.Name] {
			r.failAt(at, "export %q twice", e.Name)
		}
		if r.err != nil {
			return
		}
		seen[e.Name] = true
		switch e.Kind {
		case KindFunction:
			e.Index = m.funcIndex(r)
			if r.err != nil {
				return
			}
			t := m.types[m.funcs[e.Index]]
			e.Params, e.Results = t.params, t.results
		case KindTable:
			e.Index = r.index("table", m.tables)
		case KindMemory:
			e.Index = r.index("memory", m.memories())
		case KindGlobal:
			e.Index = r.index("global", m.globals)
		default:
			m.unknownKind(r, at, e.Kind)
		}
		if r.err != nil {
			return
		}
		m.Exports = append(m.Exports, e)
	}
}

// memories is the number of memories, 0 or 1.
func (m *Module) memories() uint32 {
	if m.Memory.Present {
		return 1
	}
	return 0
}

// decodeStart reads the start section.
func (m *Module) decodeStart(r *reader) {
	m.start = m.funcIndex(r)
	m.Start = true
}

// decodeDataCount reads the data count section.
func (m *Module) decodeDataCount(r *reader) {
	m.datas = r.u32()
	m.counted = true
	m.features |= featBulkMemory
	if m.datas > MaxData {
		r.fail("%d data segments, at most %d are allowed", m.datas, MaxData)
	}
}
