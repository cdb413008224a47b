package meter

// A builder writes modules by hand, right ones and wrong ones. Sections are written in
// the order of the calls.
type builder struct{ b []byte }

// newModule starts a module.
func newModule() *builder { return &builder{b: []byte(header)} }

// section adds a section of any content.
func (b *builder) section(id byte, content ...byte) *builder {
	b.b = appendBytes(append(b.b, id), content)
	return b
}

// types adds a type section with types in their binary form.
func (b *builder) types(types ...[]byte) *builder {
	c := appendU32(nil, uint32(len(types)))
	for _, t := range types {
		c = append(c, t...)
	}
	return b.section(secType, c...)
}

// export adds an export section with function f as "run".
func (b *builder) export(f byte) *builder {
	return b.section(secExport, append(appendName([]byte{1}, "run"), 0, f)...)
}

// code adds a code section with bodies in their binary form, without their lengths.
func (b *builder) code(bodies ...[]byte) *builder {
	c := appendU32(nil, uint32(len(bodies)))
	for _, body := range bodies {
		c = appendBytes(c, body)
	}
	return b.section(secCode, c...)
}

// custom adds a custom section.
func (b *builder) custom(name string, content ...byte) *builder {
	return b.section(secCustom, append(appendName(nil, name), content...)...)
}

// signature is the binary form of a function type.
func signature(params, results []ValueType) []byte {
	b := []byte{0x60}
	for _, l := range [][]ValueType{params, results} {
		b = appendU32(b, uint32(len(l)))
		for _, t := range l {
			b = append(b, byte(t))
		}
	}
	return b
}

// locals starts a body with n locals of type i32.
func locals(n uint32) []byte {
	return append(appendU32([]byte{1}, n), byte(I32))
}

// function is a module of one function, exported as "run", of no parameters or results.
func function(code ...byte) []byte {
	return newModule().types(signature(nil, nil)).section(secFunction, 1, 0).
		section(secTable, 1, 0x70, 0, 1).section(secMemory, 1, 0, 1).
		export(0).code(append([]byte{0}, code...)).b
}
