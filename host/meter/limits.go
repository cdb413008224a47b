package meter

// Limits on what a module may declare. They bound the time and memory that loading
// costs, and what an instance costs before its first instruction runs. Most are those
// that web engines agreed on (WebAssembly JavaScript Interface, "Implementation-defined
// limits"), lowered where a negotiator has no use for so much.
const (
	// MaxModuleSize is the longest module, in bytes.
	MaxModuleSize = 16 << 20

	// MaxRewrittenSize is the longest rewritten module, in bytes. A charge is some
	// twenty bytes, a loop can be three: without this a module of bare loops would
	// grow tenfold.
	MaxRewrittenSize = 48 << 20

	// MaxTypes, MaxImports, MaxFunctions, MaxGlobals, MaxExports, MaxElements and
	// MaxData bound the entries of their sections.
	MaxTypes     = 10_000
	MaxImports   = 1_000
	MaxFunctions = 100_000
	MaxGlobals   = 10_000
	MaxExports   = 10_000
	MaxElements  = 10_000
	MaxData      = 100_000

	// MaxCustoms bounds the custom sections.
	MaxCustoms = 1_000

	// MaxValues bounds the parameters of a function type, and its results.
	MaxValues = 1_000

	// MaxSignatures bounds the squares of how many parameters and results a type has
	// together, for all types: the engine writes each out, in a string that it makes anew
	// for each value. A module of 1.6 MB with 800 types of 2,000 took it ten seconds.
	MaxSignatures = 1 << 24

	// MaxFunctionSize is the longest body of a function, in bytes.
	MaxFunctionSize = 256 << 10

	// MaxLocals bounds the parameters and locals of one function. Each is a slot of
	// engine stack in every call of it.
	MaxLocals = 50_000

	// MaxNesting bounds the blocks that are open at once in a function. Compilers make
	// one for each case of a switch.
	MaxNesting = 2_000

	// MaxMerges and MaxFunctionMerges bound, for a module and one function of it, the
	// places where assignments to locals merge, times the depth to which the function
	// nests loops. A compiler to SSA form makes a value for each, and the engine's time
	// and stack grow faster than their number: without a limit a module of 7 KB takes it
	// six seconds. A Go program with net/http has 2,100,000 and at most 17,000.
	MaxMerges         = 1 << 22
	MaxFunctionMerges = 1 << 17

	// MaxLive and MaxFunctionLive bound, for a module and one function of it, the values
	// that are kept at the borders of blocks, and what else a function costs to compile
	// in the same unit. Without a limit a module of 400 KB takes the engine minutes and
	// more memory than there is.
	MaxLive         = 1 << 28
	MaxFunctionLive = 1 << 21

	// MaxTargets bounds the targets of one br_table, the default one left out.
	MaxTargets = 65_520

	// MaxTables bounds the tables, and MaxTableEntries the entries that each may ever
	// have. The engine's memory limit does not count tables: ten bytes of module could
	// ask for a gigabyte of them, at load or by table.grow.
	MaxTables       = 4
	MaxTableEntries = 1 << 16

	// MaxElementEntries bounds the functions in all element segments together. Each is
	// one byte of module and, in every instance, some fifty of the engine's memory.
	MaxElementEntries = 1 << 16

	// MaxPages is the number of 64 KiB pages that a 32-bit memory can have.
	MaxPages = 1 << 16

	// MaxName is the longest import, export or custom section name, in bytes. Longer
	// names in the name section are left out.
	MaxName = 1_024
)

const (
	// DefaultDepth is the budget of nested calls that Options.Depth's zero stands for.
	DefaultDepth = 1_000

	// MaxDepth is the largest budget that Options.Depth accepts. Every unit may be
	// some 2 KiB of engine stack.
	MaxDepth = 100_000

	// frameSlots is how many values a call may keep for one unit of depth. The engine
	// gives each value of a function that outlives a call its own eight bytes of stack,
	// so that a unit is worth 2 KiB, and DefaultDepth 2 MiB.
	frameSlots = 256
)

// Fuel is counted in instructions. Operations whose work depends on an operand are
// charged for it before they run.
const (
	// bulkShift makes one unit of eight bytes copied or filled.
	bulkShift = 3

	// maxFixed is the longest range, in bytes, that is charged with its region if its
	// length is written in the module.
	maxFixed = 1 << 10

	// growShift makes the units of memory.grow of its 64 KiB pages, as for a fill.
	growShift = 16 - bulkShift

	// bulkCost is the fixed cost of an operation on a range: it leaves compiled code.
	bulkCost = 16

	// growCost is the fixed cost of growing a memory or a table, and of taking a
	// function's reference: they call into Go.
	growCost = 64
)
