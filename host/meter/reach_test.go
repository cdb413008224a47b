package meter

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestUncalledExports pins which functions are left out with an export that the host does
// not call, and that the engine takes what is left.
func TestUncalledExports(t *testing.T) {
	for _, test := range []struct {
		name      string
		taken     []byte
		functions [][]callee // of which the first two are exported
		uncalled  string
		want      string // the functions that are kept
	}{
		{"none", nil, [][]callee{toEach(2), nil, nil}, "", "0 1 2"},
		{"one that is not there", nil, [][]callee{toEach(2), nil, nil}, "f7", "0 1 2"},
		{"alone", nil, [][]callee{nil, nil}, "f1", "0"},
		{"with what it calls", nil, [][]callee{toEach(2), toEach(3), nil, toEach(4), nil}, "f1", "0 2"},
		{"without what both call", nil, [][]callee{toEach(3), toEach(2, 3), toEach(3), nil}, "f1", "0 3"},
		{"that the other calls", nil, [][]callee{toEach(1), toEach(2), nil}, "f1", "0 1 2"},
		{"that calls the other", nil, [][]callee{nil, toEach(0, 2), nil}, "f1", "0"},
		{"the first", nil, [][]callee{toEach(2), toEach(3), nil, nil}, "f0", "1 3"},
		{"a circle", nil, [][]callee{nil, toEach(2), toEach(3), toEach(2)}, "f1", "0"},
		{"what a table holds", []byte{2}, [][]callee{nil, {through(0)}, toEach(3), nil, nil}, "f1", "0 2 3"},
		{"both", nil, [][]callee{toEach(2), toEach(2), nil}, "f0 f1", ""},
		{"all but what a table holds", []byte{1}, [][]callee{nil, nil}, "f0 f1", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wasm := calling(2, test.taken, test.functions...)
			metered, _, err := Rewrite(named(wasm, len(test.functions)), Options{Uncalled: strings.Fields(test.uncalled)})
			if err != nil {
				t.Fatal(err)
			}
			// What was metered is not metered again; this one looks as if it were not.
			m, err := Decode(bytes.ReplaceAll(metered, []byte(ImportModule), []byte("other")))
			if err != nil {
				t.Fatal(err)
			}
			var kept []string
			for f := range m.Functions - 1 { // without the meter's own
				name, _ := m.names.function(m.imported + uint32(f))
				kept = append(kept, strings.TrimPrefix(name, "function "))
			}
			if got := strings.Join(kept, " "); got != test.want {
				t.Errorf("functions %q are kept, want %q", got, test.want)
			}
			for _, e := range m.Exports {
				if name, _ := m.names.function(e.Index); name != "function "+e.Name[1:] {
					t.Errorf("export %q is %q", e.Name, name)
				}
				if strings.Contains(test.uncalled, e.Name) {
					t.Errorf("export %q is kept", e.Name)
				}
			}
			eachEngine(t, func(t *testing.T, c wazero.RuntimeConfig) {
				start(t, newRuntime(t, c, newTank(1000)), metered)
			})
		})
	}
}

// named adds a name section to a module: "function N" for each of its functions.
func named(wasm []byte, functions int) []byte {
	l := appendU32(nil, uint32(functions))
	for f := range functions {
		l = appendName(appendU32(l, uint32(f)), fmt.Sprint("function ", f))
	}
	return appendBytes(append(wasm, secCustom), appendBytes(append(appendName(nil, "name"), namesFunction), l))
}
