package meter

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestStackIsBounded runs recursions whose calls take as much of the engine's stack as
// they can. The limit of depth alone would let each take hundreds of megabytes.
func TestStackIsBounded(t *testing.T) {
	const vars = 10_000
	var assign []byte
	for i := range uint32(vars) {
		assign = append(assign, opLocalGet, 0, opI32Const)
		assign = append(appendS64(assign, int64(i)), opI32Add)
		assign = appendU32(append(assign, opLocalSet), i+1)
	}
	var values []byte
	for i := range int64(vars) {
		values = append(appendS64(append(values, opLocalGet, 0, opI32Const), i), opI32Sub)
	}
	values = append(values, opLocalGet, 0, opCall, 0)
	for range vars {
		values = append(values, opI32Add)
	}
	values = append(values, opDrop)

	for _, test := range []struct {
		name   string
		module []byte
	}{
		{"locals", recursive(vars, assign)},
		{"values", recursive(1, values)},
		{"merges in blocks", recursive(300, merges(200, 300))},
		{"merges in loops", loopNest(20, 200)},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
				m := start(t, newRuntime(t, c, newTank(1<<40)), rewrite(t, test.module, Options{}))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, err := m.ExportedFunction("run").Call(context.Background(), 1)
				runtime.ReadMemStats(&after)
				if !errors.Is(err, errOverflow) {
					t.Fatalf("got %v, want %v", err, errOverflow)
				}
				// The stack doubles as it grows, so that what was allocated is up to
				// four times what was used; the budget is worth 2 MiB.
				if got := after.TotalAlloc - before.TotalAlloc; got > 10<<20 {
					t.Errorf("the call allocated %d bytes", got)
				}
			})
		})
	}
}

// merges is code that leaves nested blocks at different places before it assigns to
// locals, so that every assignment merges at the end of every block.
func merges(blocks, vars int) []byte {
	var c []byte
	for range blocks {
		c = append(c, opBlock, blockEmpty)
	}
	for i := range blocks {
		c = appendU32(append(c, opLocalGet, 0, opBrIf), uint32(i))
	}
	for i := range vars {
		c = append(c, opLocalGet, 0, opI32Const, 3, opI32Add)
		c = appendU32(append(c, opLocalSet), uint32(i+1))
	}
	for range blocks {
		c = append(c, opEnd, opLocalGet, 0, opCall, 0, opDrop)
	}
	return c
}

// TestDepth finds how many calls a budget allows.
func TestDepth(t *testing.T) {
	for _, test := range []struct {
		depth uint32
		n     uint64
		want  error
	}{
		{10, 9, nil},
		{10, 10, errOverflow},
		{0, DefaultDepth - 1, nil},
		{0, DefaultDepth, errOverflow},
	} {
		eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
			m := start(t, newRuntime(t, c, newTank(1<<40)), rewrite(t, countdown(), Options{Depth: test.depth}))
			// Twice, since what a call adds to the depth has to be taken off again.
			for range 2 {
				_, err := m.ExportedFunction("run").Call(context.Background(), test.n)
				if !errors.Is(err, test.want) {
					t.Fatalf("depth %d, %d calls: got %v, want %v", test.depth, test.n, err, test.want)
				}
				if err != nil {
					return
				}
			}
		})
	}
	if _, _, err := Rewrite(countdown(), Options{Depth: MaxDepth + 1}); err == nil {
		t.Error("a depth above MaxDepth is accepted")
	}
}

// countdown calls itself as often as its parameter says and comes back by return, from
// inside a loop, or by a branch to the function's label.
func countdown() []byte {
	return newModule().types(signature([]ValueType{I32}, nil)).section(secFunction, 1, 0).export(0).code([]byte{0,
		opLocalGet, 0, opI32Eqz, opIf, blockEmpty, opReturn, opEnd,
		opLoop, blockEmpty,
		opLocalGet, 0, opI32Const, 1, opI32Sub, opCall, 0,
		opLocalGet, 0, opI32Const, 1, opI32Sub, opI32Eqz, opBrIf, 1,
		opReturn,
		opEnd, opEnd}).b
}
