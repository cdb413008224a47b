package meter

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Section ids (specification, section 5.5.2).
const (
	secCustom byte = iota
	secType
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
	sectionCount

	secTag = 13 // of the exception handling proposal
)

// sectionOrder is the order in which sections stand in a module.
var sectionOrder = [...]byte{
	secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport,
	secStart, secElement, secDataCount, secCode, secData,
}

// sectionNames are the names by which errors tell sections, by id.
var sectionNames = [sectionCount]string{
	"custom section", "type section", "import section", "function section",
	"table section", "memory section", "global section", "export section",
	"start section", "element section", "code section", "data section",
	"data count section",
}

// header is the magic number and version 1 of the binary format.
const header = "\x00asm\x01\x00\x00\x00"

// Decode takes a module apart and checks everything that Rewrite relies on, the
// instructions included: its structure, its limits, that every index is in range and
// that it uses no feature that is not metered. It does not type-check function bodies;
// the engine that compiles the rewritten module does. An error is an *Error.
//
// Decode never panics, whatever the bytes are, and needs memory in proportion to them:
// every count is checked against the bytes that are left before anything is allocated.
func Decode(wasm []byte) (*Module, error) {
	if len(wasm) > MaxModuleSize {
		return nil, &Error{Reason: fmt.Sprintf("module of %d bytes, at most %d are allowed", len(wasm), MaxModuleSize)}
	}
	m := &Module{Size: len(wasm)}
	if err := m.split(wasm); err != nil {
		return nil, err
	}
	// The names come first so that errors in functions can tell theirs. A broken name
	// section does not make a module invalid (specification, section 7.4.1).
	if b, ok := m.Custom("name"); ok {
		m.names = decodeNames(b)
	}
	for _, s := range []struct {
		id     byte
		decode func(*Module, *reader)
	}{
		{secType, (*Module).decodeTypes},
		{secImport, (*Module).decodeImports},
		{secFunction, (*Module).decodeFunctions},
		{secTable, (*Module).decodeTables},
		{secMemory, (*Module).decodeMemories},
		{secGlobal, (*Module).decodeGlobals},
		{secExport, (*Module).decodeExports},
		{secStart, (*Module).decodeStart},
		{secDataCount, (*Module).decodeDataCount},
		{secElement, (*Module).decodeElements},
		{secCode, (*Module).decodeCode},
		{secData, (*Module).decodeData},
	} {
		r := m.sections[s.id]
		if r == nil {
			continue
		}
		s.decode(m, r)
		if r.err == nil && r.rest() > 0 {
			r.fail("%d bytes left over", r.rest())
		}
		if r.err != nil {
			return nil, placed(r.err, sectionNames[s.id])
		}
	}
	if len(m.bodies) != m.Functions {
		return nil, &Error{Place: sectionNames[secCode], Reason: fmt.Sprintf("%d bodies for %d functions", len(m.bodies), m.Functions)}
	}
	if r := m.sections[secData]; r == nil && m.counted && m.datas > 0 {
		return nil, &Error{Place: sectionNames[secDataCount], Reason: fmt.Sprintf("%d data segments announced, none there", m.datas)}
	}
	m.Features = m.features.list()
	return m, nil
}

// split finds the sections and checks their order.
func (m *Module) split(wasm []byte) error {
	r := &reader{b: wasm}
	if !bytes.HasPrefix(wasm, []byte(header)) {
		r.fail("not a WebAssembly module of version 1")
		return r.err
	}
	r.pos = len(header)
	next := 0 // index in sectionOrder of the first section that may still come
	for r.rest() > 0 {
		at := r.pos
		id := r.u8()
		content := r.sub(r.u32())
		if content.err != nil {
			return content.err
		}
		if id == secCustom {
			if err := m.addCustom(content); err != nil {
				return placed(err, sectionNames[secCustom])
			}
			continue
		}
		if id == secTag {
			r.refuse(at, refusedExceptions)
			return r.err
		}
		if id >= sectionCount {
			r.failAt(at, "unknown section %d", id)
			return r.err
		}
		place := bytes.IndexByte(sectionOrder[next:], id)
		if place < 0 {
			r.failAt(at, "%s twice or out of order", sectionNames[id])
			return r.err
		}
		next += place + 1
		m.sections[id] = content
	}
	return nil
}

// addCustom records a custom section.
func (m *Module) addCustom(r *reader) error {
	if len(m.Customs) == MaxCustoms {
		r.fail("more than %d custom sections", MaxCustoms)
		return r.err
	}
	name := r.name()
	if r.err != nil {
		return r.err
	}
	m.Customs = append(m.Customs, Custom{Name: name, Data: r.b[r.pos:]})
	return nil
}

// name reads a name, which has to be UTF-8.
func (r *reader) name() string {
	at := r.pos
	n := r.u32()
	if n > MaxName {
		r.failAt(at, "name of %d bytes, at most %d are allowed", n, MaxName)
		return ""
	}
	b := r.take(n)
	if !utf8.Valid(b) {
		r.failAt(at, "name is not UTF-8")
		return ""
	}
	return string(b)
}

// valueType reads a value type.
func (r *reader) valueType() ValueType {
	at := r.pos
	c := r.u8()
	switch t := ValueType(c); t {
	case I32, I64, F32, F64, FuncRef, ExternRef:
		return t
	}
	switch {
	case r.err != nil:
	case c == 0x7b:
		r.refuse(at, refusedSIMD)
	case c == 0x69 || c == 0x74:
		r.refuse(at, refusedExceptions)
	case c >= 0x63 && c <= 0x73:
		r.refuse(at, refusedGC)
	default:
		r.failAt(at, "unknown value type %#x", c)
	}
	return 0
}

// refType reads a reference type.
func (r *reader) refType() ValueType {
	at := r.pos
	t := r.valueType()
	if r.err == nil && t != FuncRef && t != ExternRef {
		r.failAt(at, "%s is not a reference type", t)
	}
	return t
}

// limits reads the limits of a table or memory; max is none if there is none.
func (r *reader) limits(none uint32) (minimum, maximum uint32) {
	at := r.pos
	flags := r.u8()
	switch {
	case flags > 7:
		r.failAt(at, "unknown limits %#x", flags)
	case flags&4 != 0:
		r.refuse(at, refusedMemory64)
	case flags&2 != 0:
		r.refuse(at, refusedThreads)
	}
	minimum, maximum = r.u32(), none
	if flags&1 != 0 {
		maximum = r.u32()
	}
	if r.err == nil && minimum > maximum {
		r.failAt(at, "minimum %d above maximum %d", minimum, maximum)
	}
	return minimum, maximum
}
