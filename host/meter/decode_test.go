package meter

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestDecodeFacts(t *testing.T) {
	m, err := Decode(sample(t, "refs"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []Import{{Module: "env", Name: "seven", Results: []ValueType{I32}}}; !reflect.DeepEqual(m.Imports, want) {
		t.Errorf("imports %v, want %v", m.Imports, want)
	}
	run, ok := m.Export("run")
	if !ok || run.Kind != KindFunction || Signature(run.Params, run.Results) != "(i32) -> i32" {
		t.Errorf("export run is %v", run)
	}
	if table, ok := m.Export("table"); !ok || table.Kind != KindTable || table.Index != 1 {
		t.Errorf("export table is %v", table)
	}
	if again, _ := m.Export("again"); again.Index != 0 {
		t.Errorf("export again is %v", again)
	}
	if m.Memory.Present || m.Functions != 6 || m.Start {
		t.Errorf("memory %v, %d functions, start %v", m.Memory, m.Functions, m.Start)
	}
	if want := []string{"bulk-memory-operations", "reference-types"}; !slices.Equal(m.Features, want) {
		t.Errorf("features %q, want %q", m.Features, want)
	}
	if _, ok := m.Custom("name"); !ok {
		t.Error("no name section")
	}
}

func TestDecodeMemory(t *testing.T) {
	for _, test := range []struct {
		name   string
		module []byte
		want   Memory
	}{
		{"none", newModule().b, Memory{}},
		{"no maximum", newModule().section(secMemory, 1, 0, 2).b, Memory{Present: true, Min: 2, Max: MaxPages}},
		{"maximum", newModule().section(secMemory, 1, 1, 2, 3).b, Memory{Present: true, Min: 2, Max: 3}},
		{"imported", newModule().section(secImport, 1, 1, 'e', 1, 'm', 2, 1, 2, 3).b, Memory{Present: true, Imported: true, Min: 2, Max: 3}},
	} {
		m, err := Decode(test.module)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if m.Memory != test.want {
			t.Errorf("%s: got %v, want %v", test.name, m.Memory, test.want)
		}
	}
}

func TestRefusedFeatures(t *testing.T) {
	for _, test := range []struct {
		name    string
		module  []byte
		feature string
	}{
		{"v128 parameter", newModule().types([]byte{0x60, 1, 0x7b, 0}).b, refusedSIMD},
		{"vector instruction", function(0xfd, 0x0c, opEnd), refusedSIMD},
		{"relaxed vector instruction", function(0xfd, 0x80, 0x02, opEnd), refusedSIMD},
		{"v128 global", newModule().section(secGlobal, 1, 0x7b, 0, 0xfd, 0x0c, opEnd).b, refusedSIMD},
		{"vector constant", newModule().section(secGlobal, 1, 0x7f, 0, 0xfd, 0x0c, opEnd).b, refusedSIMD},
		{"atomic instruction", function(0xfe, 0x03, 0x00, opEnd), refusedThreads},
		{"shared memory", newModule().section(secMemory, 1, 3, 1, 1).b, refusedThreads},
		{"shared global", newModule().section(secGlobal, 1, 0x7f, 2, opI32Const, 0, opEnd).b, refusedThreads},
		{"return_call", function(0x12, 0, opEnd), refusedTailCall},
		{"return_call_indirect", function(0x13, 0, 0, opEnd), refusedTailCall},
		{"call_ref", function(0x14, 0, opEnd), refusedTypedFunc},
		{"table with a value", newModule().section(secTable, 1, 0x40, 0, 0x70, 0, 1).b, refusedTypedFunc},
		{"try", function(0x06, 0x40, opEnd, opEnd), refusedExceptions},
		{"throw", function(0x08, 0, opEnd), refusedExceptions},
		{"try_table", function(0x1f, 0x40, 0, opEnd, opEnd), refusedExceptions},
		{"tag section", newModule().section(13, 1, 0, 0).b, refusedExceptions},
		{"exnref", newModule().types([]byte{0x60, 1, 0x69, 0}).b, refusedExceptions},
		{"struct type", newModule().types([]byte{0x5f, 1, 0x7f, 0}).b, refusedGC},
		{"recursive types", newModule().types([]byte{0x4e, 1, 0x60, 0, 0}).b, refusedGC},
		{"typed reference", newModule().types([]byte{0x60, 1, 0x64, 0, 0}).b, refusedGC},
		{"struct.new", function(0xfb, 0, 0, opEnd), refusedGC},
		{"ref.as_non_null", function(0xd4, opEnd), refusedGC},
		{"two memories", newModule().section(secMemory, 2, 0, 1, 0, 1).b, refusedMultiMemory},
		{"imported and defined memory", newModule().section(secImport, 1, 1, 'e', 1, 'm', 2, 0, 1).section(secMemory, 1, 0, 1).b, refusedMultiMemory},
		{"load from memory 1", function(opI32Const, 0, opI32Load, 0x42, 1, 0, opDrop, opEnd), refusedMultiMemory},
		{"grow of memory 1", function(opI32Const, 0, opMemoryGrow, 1, opDrop, opEnd), refusedMultiMemory},
		{"data for memory 1", newModule().section(secMemory, 1, 0, 1).section(secData, 1, 2, 1, opI32Const, 0, opEnd, 0).b, refusedMultiMemory},
		{"64-bit memory", newModule().section(secMemory, 1, 4, 1).b, refusedMemory64},
		{"arithmetic in a constant", newModule().section(secGlobal, 1, 0x7f, 0, opI32Const, 1, opI32Const, 1, opI32Add, opEnd).b, refusedExtConst},
	} {
		_, err := Decode(test.module)
		var e *Error
		if !errors.As(err, &e) || e.Feature != test.feature {
			t.Errorf("%s: got %v, want a refusal of %q", test.name, err, test.feature)
		}
	}
}

func TestRefused(t *testing.T) {
	void := signature(nil, nil)
	for _, test := range []struct {
		name   string
		module []byte
		want   string
	}{
		{"empty", nil, "not a WebAssembly module"},
		{"text", []byte("(module)"), "not a WebAssembly module"},
		{"version 2", []byte("\x00asm\x02\x00\x00\x00"), "not a WebAssembly module"},
		{"too long", make([]byte, MaxModuleSize+1), "at most 16777216"},
		{"cut section", []byte(header + "\x01\x05\x01"), "5 bytes expected, 1 left"},
		{"cut length", []byte(header + "\x01\x80"), "unexpected end"},
		{"length of six bytes", []byte(header + "\x01\x80\x80\x80\x80\x80\x00"), "32 bits"},
		{"length with spare bits", []byte(header + "\x01\x80\x80\x80\x80\x10"), "32 bits"},
		{"section 14", newModule().section(14, 0).b, "unknown section 14"},
		{"section twice", newModule().types(void).types(void).b, "type section twice or out of order"},
		{"sections out of order", newModule().section(secFunction, 0).types(void).b, "out of order"},
		{"data count after code", newModule().section(secCode, 0).section(secDataCount, 0).b, "out of order"},
		{"left over", newModule().section(secType, 0, 0).b, "type section, offset 0xb: 1 bytes left over"},
		{"more types than bytes", newModule().section(secType, 0xff, 0x4d).b, "do not fit"},
		{"more types than allowed", newModule().section(secType, 0xff, 0xff, 0xff, 0xff, 0x0f).b, "at most 10000"},
		{"type form", newModule().types([]byte{0x61, 0, 0}).b, "unknown form"},
		{"value type", newModule().types([]byte{0x60, 1, 0x01, 0}).b, "unknown value type"},
		{"import of the meter", newModule().types(void).section(secImport, 1, 5, 'm', 'e', 't', 'e', 'r', 1, 'x', 0, 0).b, "meter's own"},
		{"import of a type out of range", newModule().section(secImport, 1, 1, 'e', 1, 'x', 0, 0).b, "type 0 of 0"},
		{"import name not UTF-8", newModule().section(secImport, 1, 1, 0xff, 1, 'x', 0, 0).b, "UTF-8"},
		{"import of kind 9", newModule().section(secImport, 1, 1, 'e', 1, 'x', 9, 0).b, "unknown kind 9"},
		{"function type out of range", newModule().types(void).section(secFunction, 1, 1).b, "type 1 of 1"},
		{"function without a body", newModule().types(void).section(secFunction, 1, 0).b, "0 bodies for 1 functions"},
		{"body without a function", newModule().types(void).code([]byte{0, opEnd}).b, "at most 0"},
		{"large table", newModule().section(secTable, 1, 0x70, 0, 0x81, 0x80, 0x04).b, "at most 65536"},
		{"table of numbers", newModule().section(secTable, 1, 0x7f, 0, 1).b, "not a reference type"},
		{"limits in disorder", newModule().section(secMemory, 1, 1, 2, 1).b, "minimum 2 above maximum 1"},
		{"memory of 65537 pages", newModule().section(secMemory, 1, 1, 2, 0x81, 0x80, 0x04).b, "65537 pages"},
		{"global's mutability", newModule().section(secGlobal, 1, 0x7f, 4, opI32Const, 0, opEnd).b, "mutability"},
		{"global without a value", newModule().section(secGlobal, 1, 0x7f, 0, opEnd, 0).b, "empty constant"},
		{"global from a call", newModule().section(secGlobal, 1, 0x7f, 0, opCall, 0, opEnd).b, "in a constant expression"},
		{"export out of range", newModule().export(0).b, "function 0 of 0"},
		{"export twice", newModule().section(secMemory, 1, 0, 1).section(secExport, 2, 1, 'm', 2, 0, 1, 'm', 2, 0).b, `export "m" twice`},
		{"export of no memory", newModule().section(secExport, 1, 1, 'm', 2, 0).b, "memory 0 of 0"},
		{"start out of range", newModule().section(secStart, 0).b, "function 0 of 0"},
		{"element kind", newModule().section(secElement, 1, 8, 0).b, "element segment 8"},
		{"element without a table", newModule().section(secElement, 1, 0, opI32Const, 0, opEnd, 0).b, "table 0 of 0"},
		{"element out of range", newModule().section(secElement, 1, 1, 0, 1, 0).b, "function 0 of 0"},
		{"elements", newModule().types(void).section(secFunction, 1, 0).section(secTable, 1, 0x70, 0, 1).
			section(secElement, append([]byte{2, 1, 0, 1, 0, 1, 0, 0x80, 0x80, 0x04}, make([]byte, MaxElementEntries)...)...).b, "at most 65535"},
		{"tables", newModule().section(secTable, append([]byte{5}, bytes.Repeat([]byte{0x70, 0, 1}, 5)...)...).b, "at most 4"},
		{"data kind", newModule().section(secData, 1, 3, 0).b, "data segment 3"},
		{"data without a memory", newModule().section(secData, 1, 0, opI32Const, 0, opEnd, 0).b, "without a memory"},
		{"data count differs", newModule().section(secDataCount, 2).section(secData, 1, 1, 0).b, "1 data segments, 2 announced"},
		{"data count alone", newModule().section(secDataCount, 2).b, "none there"},
		{"unknown instruction", function(0x27, opEnd), "function 0, offset 0x2b: unknown instruction 0x27"},
		{"unknown instruction 0xfc", function(0xfc, 0x12, opEnd), "unknown instruction 0xfc 0x12"},
		{"long form of 0xfc 10", function(0xfc, 0x8a, 0x00, opEnd), "unknown instruction 0xfc 0x8a"},
		{"body without end", function(0x01), "unexpected end"},
		{"code after the end", function(opEnd, opEnd), "1 bytes behind the last end"},
		{"else without if", function(opElse, opEnd), "else outside if"},
		{"else twice", function(opI32Const, 0, opIf, blockEmpty, opElse, opElse, opEnd, opEnd), "else outside if"},
		{"label out of range", function(opBr, 1, opEnd), "label 1 of 1"},
		{"table label out of range", function(opI32Const, 0, opBrTable, 1, 1, 0, opEnd), "label 1 of 1"},
		{"more labels than bytes", function(opBrTable, 0xff, 0xff, 0x03, opEnd), "targets"},
		{"local out of range", function(opLocalGet, 0, opDrop, opEnd), "local 0 of 0"},
		{"call out of range", function(opCall, 1, opEnd), "function 1 of 1"},
		{"call of the meter", function(opCall, 2, opEnd), "function 2 of 1"},
		{"global out of range", function(opGlobalGet, 0, opDrop, opEnd), "global 0 of 0"},
		{"table out of range", function(opTableSize>>8, opTableSize&0xff, 1, opDrop, opEnd), "table 1 of 1"},
		{"block type out of range", function(opBlock, 1, opEnd, opEnd), "block type 1 of 1"},
		{"negative block type", function(opBlock, 0xc0, 0x7f, opEnd, opEnd), "block type -64"},
		{"memory.init without a data count", function(0xfc, 8, 0, 0, opEnd), "needs a data count section"},
		{"alignment", function(opI32Load, 4, 0, opEnd), "alignment 2^4"},
		{"i32 constant of 33 bits", function(opI32Const, 0x80, 0x80, 0x80, 0x80, 0x10, opDrop, opEnd), "32 bits"},
		{"select of two", function(opSelectTyped, 2, 0x7f, 0x7f, opEnd), "select of 2"},
		{"locals", newModule().types(void).section(secFunction, 1, 0).code(append(locals(MaxLocals+1), opEnd)).b, "more than 50000 parameters and locals"},
		{"locals that wrap", newModule().types(void).section(secFunction, 1, 0).
			code(append([]byte{2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 2, 0x7f}, opEnd)).b, "more than 50000 parameters and locals"},
		{"nesting", function(append(slices.Repeat([]byte{opBlock, blockEmpty}, MaxNesting), slices.Repeat([]byte{opEnd}, MaxNesting+1)...)...), "more than 2000 nested blocks"},
		{"function name", newModule().types(void).section(secFunction, 1, 0).code([]byte{0, 0x27, opEnd}).
			custom("name", 1, 6, 1, 0, 3, 'f', 'o', 'o').b, `function 0 "foo", offset`},
	} {
		_, err := Decode(test.module)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

func TestMergesAreBounded(t *testing.T) {
	if _, err := Decode(loopNest(20, 100)); err != nil {
		t.Errorf("20 loops, 100 locals: %v", err)
	}
	_, err := Decode(loopNest(100, 500))
	if err == nil || !strings.Contains(err.Error(), "too costly to compile") {
		t.Errorf("100 loops, 500 locals: %v", err)
	}
}

// loopNest is a recursive function of nested loops around assignments to locals. Its
// size is the sum of both counts; the values that a compiler to SSA form makes of it
// are their product.
func loopNest(loops, vars int) []byte {
	var c []byte
	for range loops {
		c = append(c, opLoop, blockEmpty, opLocalGet, 0, opCall, 0, opDrop)
	}
	for i := range vars {
		c = appendU32(append(c, opLocalGet), uint32(i+1))
		c = append(c, opI32Const, 1, opI32Add)
		c = appendU32(append(c, opLocalSet), uint32(i+1))
	}
	for range loops {
		c = append(c, opLocalGet, 0, opBrIf, 0, opEnd)
	}
	return recursive(uint32(vars), c)
}

// recursive is a module of one function that passes a number on to itself and returns
// the sum of its locals.
func recursive(vars uint32, code []byte) []byte {
	c := append(locals(vars), code...)
	c = append(c, opLocalGet, 0, opCall, 0)
	for i := range vars {
		c = append(appendU32(append(c, opLocalGet), i+1), opI32Add)
	}
	return newModule().types(signature([]ValueType{I32}, []ValueType{I32})).
		section(secFunction, 1, 0).export(0).code(append(c, opEnd)).b
}

// TestDecodeAllocatesInProportion decodes what makes most of every byte.
func TestDecodeAllocatesInProportion(t *testing.T) {
	void := signature(nil, nil)
	huge := []byte{0xff, 0xff, 0xff, 0x7f}
	for _, test := range []struct {
		name   string
		module []byte
	}{
		{"types", newModule().types(slices.Repeat([][]byte{void}, MaxTypes)...).b},
		{"functions", newModule().types(void).
			section(secFunction, append(appendU32(nil, MaxFunctions), make([]byte, MaxFunctions)...)...).
			code(slices.Repeat([][]byte{{0, opEnd}}, MaxFunctions)...).b},
		{"loops", function(append(bytes.Repeat([]byte{opLoop, blockEmpty, opEnd}, 7_000), opEnd)...)},
		{"names", newModule().custom("name", appendBytes([]byte{namesFunction}, append(appendU32(nil, 1<<16), ascending(1<<16)...))...).b},
		{"claimed types", newModule().section(secType, huge...).b},
		{"claimed functions", newModule().types(void).section(secFunction, huge...).b},
		{"claimed names", newModule().custom("name", append([]byte{namesFunction, 4}, huge...)...).b},
		{"claimed locals' names", newModule().custom("name", append([]byte{namesLocal, 4}, huge...)...).b},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Decode(test.module)
		runtime.ReadMemStats(&after)
		if claimed := strings.HasPrefix(test.name, "claimed"); err != nil && !claimed {
			t.Errorf("%s: %v", test.name, err)
		}
		if test.name == "names" && len(m.names.functions) != 1<<16 {
			t.Errorf("%d names decoded", len(m.names.functions))
		}
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(100*len(test.module)+8192); got > limit {
			t.Errorf("%s: %d bytes allocated for a module of %d (%v)", test.name, got, len(test.module), err)
		}
	}
}

// ascending is n empty names in ascending order.
func ascending(n uint32) []byte {
	var b []byte
	for i := range n {
		b = append(appendU32(b, i), 0)
	}
	return b
}
