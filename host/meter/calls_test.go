package meter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// A callee is what a function of a test's module calls: a function, or through a table
// one of a type.
type callee struct {
	table bool
	index byte
}

// through is a call through the table of any function of a type.
func through(typ byte) callee { return callee{true, typ} }

// calling is a module whose functions, of type 0 and exported up to the number given, do
// nothing but call others. The functions in taken are in its table. Type 1 equals type
// 0, type 2 does not.
func calling(exported int, taken []byte, functions ...[]callee) []byte {
	void := signature(nil, nil)
	b := newModule().types(void, void, signature([]ValueType{I32}, nil))
	b.section(secFunction, append(appendU32(nil, uint32(len(functions))), make([]byte, len(functions))...)...)
	b.section(secTable, 1, 0x70, 0, 8)
	exports := appendU32(nil, uint32(exported))
	for i := range exported {
		exports = appendU32(append(appendName(exports, fmt.Sprint("f", i)), byte(KindFunction)), uint32(i))
	}
	b.section(secExport, exports...)
	b.section(secElement, append([]byte{1, 0, opI32Const, 0, opEnd, byte(len(taken))}, taken...)...)
	var bodies [][]byte
	for _, calls := range functions {
		body := []byte{0}
		for _, c := range calls {
			switch {
			case c.table && c.index == 2:
				body = append(body, opI32Const, 0, opI32Const, 0, opCallIndirect, 2, 0)
			case c.table:
				body = append(body, opI32Const, 0, opCallIndirect, c.index, 0)
			default:
				body = append(body, opCall, c.index)
			}
		}
		bodies = append(bodies, append(body, opEnd))
	}
	return b.code(bodies...).b
}

// toEach calls the functions of some indices.
func toEach(indices ...byte) (l []callee) {
	for _, i := range indices {
		l = append(l, callee{index: i})
	}
	return l
}

// TestCallGraph pins which functions may come back to themselves, and how deep those
// nest that do not.
func TestCallGraph(t *testing.T) {
	for _, test := range []struct {
		name      string
		taken     []byte
		functions [][]callee
		want      string // for each function its height, with r if it may return
	}{
		{"nothing", nil, [][]callee{nil}, "1"},
		{"itself", nil, [][]callee{toEach(0)}, "0r"},
		{"each other", nil, [][]callee{toEach(1), toEach(0)}, "0r 0r"},
		{"around three", nil, [][]callee{toEach(1), toEach(2), toEach(0)}, "0r 0r 0r"},
		{"a diamond", nil, [][]callee{toEach(1, 2), toEach(3), toEach(3), nil}, "3 2 2 1"},
		{"the longer way", nil, [][]callee{toEach(2, 1), toEach(2), nil}, "3 2 1"},
		{"before and behind those that return", nil, [][]callee{toEach(1), toEach(2, 3), toEach(1), toEach(4), nil}, "3 2r 2r 2 1"},
		{"found from behind", nil, [][]callee{nil, toEach(0), toEach(1)}, "1 2 3"},
		{"two that return, one inside the other", nil, [][]callee{toEach(1), toEach(2), toEach(1, 0)}, "0r 0r 0r"},
		{"through a table", []byte{1}, [][]callee{{through(0)}, toEach(0)}, "0r 0r"},
		{"through a table, by an equal type", []byte{1}, [][]callee{{through(1)}, toEach(0)}, "0r 0r"},
		{"through a table, by another type", []byte{1}, [][]callee{{through(2)}, toEach(0)}, "1 2"},
		{"a table without it", []byte{2}, [][]callee{{through(0)}, toEach(0), nil}, "2 3 1"},
		{"itself through a table", []byte{0}, [][]callee{{through(0)}}, "0r"},
	} {
		m, err := Decode(calling(1, test.taken, test.functions...))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, n := range m.graph().nodes[:len(test.functions)] {
			s := fmt.Sprint(n.height)
			if n.returns {
				s += "r"
			}
			got = append(got, s)
		}
		if g := strings.Join(got, " "); g != test.want {
			t.Errorf("%s: %s, want %s", test.name, g, test.want)
		}
	}
}

// TestReferencedFunctions finds functions that only an instruction or a global refers to:
// table.set could put them into a table.
func TestReferencedFunctions(t *testing.T) {
	void := signature(nil, nil)
	start := func() *builder {
		return newModule().types(void).section(secFunction, 2, 0, 0).section(secTable, 1, 0x70, 0, 1)
	}
	code := [][]byte{
		{0, opI32Const, 0, opCallIndirect, 0, 0, opEnd},
		{0, opCall, 0, opEnd},
	}
	for name, wasm := range map[string][]byte{
		"instruction": start().code(code[0], []byte{0, opI32Const, 0, opRefFunc, 1, opTableSet, 0, opCall, 0, opEnd}).b,
		"global":      start().section(secGlobal, 1, 0x70, 0, opRefFunc, 1, opEnd).code(code...).b,
		"expression":  start().section(secElement, 1, 4, opI32Const, 0, opEnd, 1, opRefFunc, 1, opEnd).code(code...).b,
		"declared":    start().section(secElement, 1, 3, 0, 1, 1).code(code...).b,
	} {
		m, err := Decode(wasm)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if g := m.graph(); !g.nodes[0].returns || !g.nodes[1].returns {
			t.Errorf("%s: the functions do not return to themselves", name)
		}
	}
}

// TestDepthOfChains runs chains of different functions, which nothing counts until they
// may use up more than half of what is allowed, and a recursion behind such a chain.
func TestDepthOfChains(t *testing.T) {
	for _, test := range []struct {
		name   string
		length int
		last   []callee // what the last calls
		want   error
		counts bool // depth is counted
	}{
		{"short", 50, nil, nil, false},
		{"long", 99, nil, nil, true},
		{"too long", 120, nil, errOverflow, true},
		{"recursion behind a short one", 30, toEach(29), errOverflow, true},
		{"recursion behind a long one", 90, toEach(89), errOverflow, true},
	} {
		var functions [][]callee
		for i := range test.length - 1 {
			functions = append(functions, toEach(byte(i+1)))
		}
		functions = append(functions, test.last)
		metered := rewrite(t, calling(1, nil, functions...), Options{Depth: 100})
		// Depth is compared with its limit at each entry that counts.
		if got := bytes.Contains(metered, []byte{opI32GtU, opIf, blockEmpty, opCall}); got != test.counts {
			t.Errorf("%s: counts depth: %v, want %v", test.name, got, test.counts)
		}
		eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
			m := start(t, newRuntime(t, c, newTank(1<<40)), metered)
			if _, err := m.ExportedFunction("f0").Call(context.Background()); !errors.Is(err, test.want) {
				t.Errorf("%s: got %v, want %v", test.name, err, test.want)
			}
		})
	}
}

// TestDepthIsDivided recurses in a module that also has a chain of 40 different functions.
// What is left of the depth is for the recursion, wherever in the chain it stands.
func TestDepthIsDivided(t *testing.T) {
	const chain = 40
	void := signature(nil, nil)
	b := newModule().types(signature([]ValueType{I32}, nil), void)
	b.section(secFunction, append([]byte{1 + chain, 0}, bytes.Repeat([]byte{1}, chain)...)...).export(0)
	bodies := [][]byte{{0,
		opLocalGet, 0, opIf, blockEmpty, opLocalGet, 0, opI32Const, 1, opI32Sub, opCall, 0, opEnd, opEnd}}
	for i := range byte(chain - 1) {
		bodies = append(bodies, []byte{0, opCall, i + 2, opEnd})
	}
	bodies = append(bodies, []byte{0, opEnd})
	metered := rewrite(t, b.code(bodies...).b, Options{Depth: 100})
	eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
		for n, want := range map[uint64]error{100 - chain - 1: nil, 100 - chain: errOverflow} {
			m := start(t, newRuntime(t, c, newTank(1<<40)), metered)
			if _, err := m.ExportedFunction("run").Call(context.Background(), n); !errors.Is(err, want) {
				t.Errorf("%d calls in a call: got %v, want %v", n, err, want)
			}
		}
	})
}

// TestLargeFramesCount runs a chain of few functions that each need as much of the
// engine's stack as many others: they are not taken for a short chain.
func TestLargeFramesCount(t *testing.T) {
	b := newModule().types(signature(nil, nil)).section(secFunction, append([]byte{30}, make([]byte, 30)...)...).export(0)
	var bodies [][]byte
	for i := range byte(30) {
		bodies = append(bodies, append(locals(10_000), opCall, min(i+1, 29), opEnd))
	}
	bodies[29] = append(locals(10_000), opEnd)
	m := start(t, newRuntime(t, engines[0].config().WithCoreFeatures(features), newTank(1<<40)), rewrite(t, b.code(bodies...).b, Options{}))
	if _, err := m.ExportedFunction("run").Call(context.Background()); !errors.Is(err, errOverflow) {
		t.Errorf("got %v, want %v", err, errOverflow)
	}
}

// TestAsks pins which functions ask for fuel at their entry. Each has as many nops as
// its number says, and the calls.
func TestAsks(t *testing.T) {
	void := signature(nil, nil)
	for _, test := range []struct {
		name  string
		nops  []int
		calls [][]byte
		want  string
	}{
		{"exported", []int{1}, [][]byte{nil}, "asks"},
		{"little", []int{1, 5}, [][]byte{{1}, nil}, "asks 6"},
		{"much", []int{1, maxUnasked}, [][]byte{{1}, nil}, "asks asks"},
		{"just not too much", []int{1, maxUnasked - 1}, [][]byte{{1}, nil}, "asks 1000"},
		{"each call counts", []int{1, 5, 10}, [][]byte{{1}, {2, 2, 2}, nil}, "asks 42 11"},
		{"too much by its calls", []int{1, 5, 400}, [][]byte{{1}, {2, 2, 2}, nil}, "asks asks 401"},
		{"what asks costs its caller nothing", []int{1, 5, 2000}, [][]byte{{1}, {2, 2}, nil}, "asks 8 asks"},
		{"recursion", []int{1, 5}, [][]byte{{1}, {1}}, "asks asks"},
	} {
		b := newModule().types(void).section(secFunction, append([]byte{byte(len(test.nops))}, make([]byte, len(test.nops))...)...).export(0)
		var bodies [][]byte
		for i, n := range test.nops {
			body := append([]byte{0}, bytes.Repeat([]byte{0x01}, n)...)
			for _, f := range test.calls[i] {
				body = append(body, opCall, f)
			}
			bodies = append(bodies, append(body, opEnd))
		}
		m, err := Decode(b.code(bodies...).b)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, n := range m.graph().nodes[:len(test.nops)] {
			if n.spends == 0 {
				got = append(got, "asks")
			} else {
				got = append(got, fmt.Sprint(n.spends))
			}
		}
		if g := strings.Join(got, " "); g != test.want {
			t.Errorf("%s: %s, want %s", test.name, g, test.want)
		}
	}
}

// TestRecursionIsCareful has functions that call themselves ask before each call of one
// that does not, if these together spend more than they may: as many of them may be open
// as depth allows.
func TestRecursionIsCareful(t *testing.T) {
	spends11 := [][]callee{toEach(2, 2, 2, 2, 2), nil}
	for calls, want := range map[int]bool{maxOwedAgain / 11: false, maxOwedAgain/11 + 1: true} {
		m, err := Decode(calling(1, nil, append([][]callee{append(toEach(0), toEach(bytes.Repeat([]byte{1}, calls)...)...)}, spends11...)...))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.graph().nodes[0].careful; got != want {
			t.Errorf("%d calls: %v, want %v", calls, got, want)
		}
	}
}

// TestWayBackIsBounded has a recursion spend on its way back, where nothing is entered
// that asks for itself: only what is behind it does.
func TestWayBackIsBounded(t *testing.T) {
	for _, nops := range []int{maxOwedAgain - 1, maxUnasked - 1} {
		b := newModule().types(signature(nil, nil), signature([]ValueType{I32}, nil)).section(secFunction, 4, 0, 1, 0, 0)
		b.section(secExport, append(appendName([]byte{2}, "run"), 0, 0, 1, 'a', 0, 2)...)
		wasm := b.code(
			[]byte{0, opI32Const, 0xde, 0x07, opCall, 1, opCall, 2, opEnd}, // 990
			[]byte{0, opLocalGet, 0, opIf, blockEmpty, opLocalGet, 0, opI32Const, 1, opI32Sub, opCall, 1, opEnd, opCall, 3, opEnd},
			[]byte{0, opEnd},
			append(append([]byte{0}, bytes.Repeat([]byte{0x01}, nops)...), opEnd),
		).b
		eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
			k := &tank{budget: 1 << 40}
			m := start(t, newRuntime(t, c, k), rewrite(t, wasm, Options{}))
			if _, err := m.ExportedFunction("run").Call(context.Background()); err != nil {
				t.Fatal(err)
			}
			if k.owed > maxOwed+maxUnasked {
				t.Errorf("%d units were owed, each call spends %d", k.owed, nops+1)
			}
		})
	}
}

// TestAsksWithoutBlocks pins that what asks where the original has no block makes none:
// each would have the compiler note all values that are there, which decoding did not
// count. A module of 70 KB, most of it calls, took half a minute.
func TestAsksWithoutBlocks(t *testing.T) {
	calls := append([][]callee{toEach(bytes.Repeat([]byte{1}, 200)...)}, toEach(2, 2, 2, 2, 2), toEach(3, 3, 3, 3, 3), toEach(4, 4, 4, 4, 4), nil)
	fill := []byte{opI32Const, 0, opI32Const, 0, opMemorySize, 0, opMisc, opMemoryFill & 0xff, 0}
	for name, wasm := range map[string][]byte{
		"calls": calling(1, nil, calls...),
		"fills": function(append(bytes.Repeat(fill, 100), opEnd)...),
	} {
		// One at the entry, and one where the host is asked.
		metered := rewrite(t, wasm, Options{})
		if n := bytes.Count(metered, []byte{opI64LtS, opIf, blockEmpty}); n != 2 {
			t.Errorf("%s: %d blocks that ask, want 2", name, n)
		}
		if bytes.Count(metered, []byte{opCall}) < 100 {
			t.Errorf("%s: does not ask", name)
		}
	}
}

// TestOwedIsBounded runs functions that do not ask, arranged to spend as much as they
// can before something does: each calls the next one twice, for years in all; or one
// calls another thousands of times, in a row and by a table.
func TestOwedIsBounded(t *testing.T) {
	// Function 1 is exported, so that it asks.
	var doubling [][]callee
	for i := range byte(60) {
		doubling = append(doubling, toEach(i+1, i+1))
	}
	doubling = append(doubling, nil)
	row := [][]callee{
		append(toEach(bytes.Repeat([]byte{2}, 2000)...), toEach(1)...), nil,
		toEach(3, 3, 3, 3, 3), toEach(4, 4, 4, 4, 4), toEach(5, 5, 5, 5, 5), nil,
	}
	table := append([][]callee{append(slices.Repeat([]callee{through(0)}, 2000), toEach(1)...)}, row[1:]...)
	// All functions of the chain ask when they are entered, and spend behind their calls
	// of the next.
	var chain [][]callee
	for i := range byte(59) {
		chain = append(chain, append(toEach(min(i+1, 58)), toEach(bytes.Repeat([]byte{60}, 100)...)...))
	}
	chain[0] = append(chain[0], callee{index: 59}) // which asks, at last
	chain[58] = nil
	chain = append(chain, nil, toEach(61, 61, 61, 61, 61), toEach(62, 62, 62, 62, 62), toEach(63, 63, 63, 63, 63), nil)
	for _, test := range []struct {
		name   string
		module []byte
		budget int64
		want   error
		owed   int64
	}{
		{"doubling", calling(1, nil, doubling...), 3_000_000, errFuel, maxOwed},
		{"in a row", calling(2, nil, row...), 1 << 40, nil, maxOwed + 6_100},
		{"through a table", calling(2, []byte{2}, table...), 1 << 40, nil, maxOwed + 6_100},
		{"in a chain", calling(60, nil, chain...), 1 << 40, nil, maxOwed},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
				k := &tank{budget: test.budget}
				m := start(t, newRuntime(t, c, k), rewrite(t, test.module, Options{}))
				if _, err := m.ExportedFunction("f0").Call(context.Background()); !errors.Is(err, test.want) {
					t.Fatalf("got %v, want %v", err, test.want)
				}
				// Beside it there is one function that does not ask, and the first function's
				// own region, 3 units a call.
				if k.owed > test.owed+maxUnasked {
					t.Errorf("%d units were owed", k.owed)
				}
			})
		})
	}
}
