package meter

import (
	"fmt"
	"strings"
)

// A Module is what a decoded module says about itself. Custom sections alias the bytes
// that it was decoded from.
type Module struct {
	Size      int      // bytes of the original module
	Functions int      // functions that the module defines, imported ones left out
	Imports   []Import // in the module's order
	Exports   []Export // in the module's order
	Memory    Memory
	Customs   []Custom // in the module's order, the name section among them
	Start     bool     // it has a start function, which runs when it is instantiated
	Features  []string // what it uses beyond WebAssembly 1.0, in wazero's words, sorted

	// State is what Rewrite took out of the module because of Options.Detach. It is nil
	// if it took out nothing, and Attached says why.
	State    *State
	Attached string

	types    []funcType
	funcs    []uint32 // type of each function, imported ones first
	imported uint32   // how many of funcs are imported
	globals  uint32   // imported and defined
	tables   uint32
	datas    uint32
	elements uint32
	counted  bool // a data count section was seen
	features featureSet
	names    names
	sections [sectionCount]*reader // by id, the content that Rewrite copies or rewrites
	bodies   []body
	merges   int64
	live     int64
	costs    []int64 // of all regions of all bodies
	calling  []bool  // of the same, whether they call something

	start      uint32   // the start function, if there is one
	referenced []bool   // by function, whether it may be called through a table; nil: none
	sites      []uint32 // of all bodies, what each call names: see instr.index

	globalTypes     []globalType // imported and defined
	mutable         int64        // how many of them can change
	importedGlobals uint32
	segments        []segment
	usesData        bool // it has memory.init or data.drop
	changesTables   bool
}

// An Import is something that the module asks of its host.
type Import struct {
	Module, Name    string
	Kind            Kind
	Params, Results []ValueType // of a function
}

// An Export is something that the module offers to its host.
type Export struct {
	Name            string
	Kind            Kind
	Index           uint32      // in the original module's index space of its kind
	Params, Results []ValueType // of a function
}

// A Memory is the linear memory that a module declares.
type Memory struct {
	Present  bool
	Imported bool
	Min      uint32 // 64 KiB pages
	Max      uint32 // 64 KiB pages; MaxPages if the module sets none
}

// A Custom is a custom section.
type Custom struct {
	Name string
	Data []byte
}

// Custom returns the first custom section of a name.
func (m *Module) Custom(name string) ([]byte, bool) {
	for _, c := range m.Customs {
		if c.Name == name {
			return c.Data, true
		}
	}
	return nil, false
}

// Export finds an export by its name.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

// CompileCost is the estimate of what compiling the module takes, as a part of what is
// allowed: 1 is the costliest module that is accepted.
func (m *Module) CompileCost() float64 {
	return max(float64(m.merges)/MaxMerges, float64(m.live)/MaxLive)
}

// A Kind tells what an import or export is.
type Kind byte

// The kinds, as the binary format numbers them (section 5.5.5).
const (
	KindFunction Kind = iota
	KindTable
	KindMemory
	KindGlobal
)

// String returns the text format's word.
func (k Kind) String() string {
	switch k {
	case KindFunction:
		return "func"
	case KindTable:
		return "table"
	case KindMemory:
		return "memory"
	case KindGlobal:
		return "global"
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// A ValueType is the type of a value, as the binary format numbers it (section 5.3).
type ValueType byte

// The value types of modules that are accepted.
const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f
)

// String returns the text format's word.
func (t ValueType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case FuncRef:
		return "funcref"
	case ExternRef:
		return "externref"
	}
	return fmt.Sprintf("type %#x", byte(t))
}

// Signature writes a function's type as "(i32, i32) -> i64", for messages.
func Signature(params, results []ValueType) string {
	var b strings.Builder
	list := func(ts []ValueType) {
		for i, t := range ts {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(t.String())
		}
	}
	b.WriteByte('(')
	list(params)
	b.WriteString(") -> ")
	if len(results) == 1 {
		list(results)
		return b.String()
	}
	b.WriteByte('(')
	list(results)
	b.WriteByte(')')
	return b.String()
}

// A funcType is a function's type.
type funcType struct {
	params, results []ValueType
}

// An Error says why a module was refused and where.
type Error struct {
	Place   string // section, or function with its name or index
	Offset  int    // in the module, bytes
	Feature string // the feature that is not supported, if that is the reason
	Reason  string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Place == "" {
		return fmt.Sprintf("offset %#x: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("%s, offset %#x: %s", e.Place, e.Offset, e.Reason)
}

// placed names the place of an error that a reader of this package made.
func placed(err error, place string) error {
	if e, ok := err.(*Error); ok && e.Place == "" {
		e.Place = place
	}
	return err
}

// A featureSet collects the features that a module uses.
type featureSet uint8

const (
	featMutableGlobal featureSet = 1 << iota
	featSignExtension
	featFloatToInt
	featMultiValue
	featBulkMemory
	featReferenceTypes
)

// list returns the names of the features, sorted.
func (s featureSet) list() []string {
	var l []string
	for _, f := range []struct {
		bit  featureSet
		name string
	}{
		{featBulkMemory, "bulk-memory-operations"},
		{featMultiValue, "multi-value"},
		{featMutableGlobal, "mutable-global"},
		{featFloatToInt, "nontrapping-float-to-int-conversion"},
		{featReferenceTypes, "reference-types"},
		{featSignExtension, "sign-extension-ops"},
	} {
		if s&f.bit != 0 {
			l = append(l, f.name)
		}
	}
	return l
}

// Names of features that are refused, as the proposals call them.
const (
	refusedSIMD        = "SIMD (128-bit vectors)"
	refusedThreads     = "threads (shared memory and atomics)"
	refusedTailCall    = "tail calls"
	refusedExceptions  = "exception handling"
	refusedGC          = "garbage collection (typed references, structs, arrays)"
	refusedTypedFunc   = "typed function references"
	refusedMultiMemory = "multiple memories"
	refusedMemory64    = "64-bit memory"
	refusedExtConst    = "extended constant expressions"
)
