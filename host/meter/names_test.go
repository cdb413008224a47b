package meter

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestNamesAreRenumbered(t *testing.T) {
	// Function 0 is imported, 1 is not: two imports come between them.
	entry := func(index byte, name string) []byte { return appendName([]byte{index}, name) }
	section := func(id byte, parts ...[]byte) []byte { return appendBytes([]byte{id}, bytes.Join(parts, nil)) }
	wasm := newModule().types(signature(nil, nil)).section(secImport, 1, 1, 'e', 1, 'x', 0, 0).
		section(secFunction, 1, 0).code([]byte{0, opEnd}).
		custom("name", bytes.Join([][]byte{
			section(namesModule, appendName(nil, "guest")),
			section(namesFunction, []byte{2}, entry(0, "in"), entry(1, "own")),
			section(namesLocal, []byte{1, 1, 1}, entry(0, "v")),
			section(9, []byte{1, 2, 3}),
		}, nil)...).custom("producers", 1, 2).b
	out, m, err := Rewrite(wasm, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Customs) != 2 {
		t.Errorf("%d custom sections, want 2", len(m.Customs))
	}
	i := bytes.Index(out, []byte("\x04name"))
	if i < 0 || bytes.Contains(out, []byte("producers")) {
		t.Fatalf("want the name section alone in % x", out)
	}
	want := names{
		module:    "guest",
		functions: []nameEntry{{0, "in"}, {3, "own"}, {4, Refuel}},
		locals:    []localNames{{3, []nameEntry{{0, "v"}}}},
	}
	if got := decodeNames(out[i+5:]); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestBrokenNames rewrites modules whose name section the engine would choke on.
func TestBrokenNames(t *testing.T) {
	long := strings.Repeat("x", MaxName+1)
	for _, test := range []struct {
		name    string
		section []byte
		keeps   string
	}{
		{"count of four billion", []byte{1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f}, ""},
		{"subsection cut", []byte{1, 200, 1}, ""},
		{"not UTF-8", []byte{1, 7, 2, 0, 1, 0xff, 1, 1, 'b'}, "b"},
		{"too long", append([]byte{1, 0x88, 0x08, 2, 0}, append(appendName(nil, long), 1, 1, 'b')...), "b"},
		{"out of order", []byte{1, 7, 2, 1, 1, 'b', 0, 1, 'a'}, ""},
		{"no such function", []byte{1, 7, 2, 1, 1, 'b', 2, 1, 'c'}, "b"},
		{"subsections out of order", []byte{2, 1, 0, 1, 4, 1, 1, 1, 'b'}, ""},
	} {
		wasm := newModule().types(signature(nil, nil)).section(secFunction, 2, 0, 0).
			code([]byte{0, opEnd}, []byte{0, opEnd}).custom("name", test.section...).b
		out, _, err := Rewrite(wasm, Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got names
		if i := bytes.Index(out, []byte("\x04name")); i >= 0 {
			got = decodeNames(out[i+5:])
		}
		kept := ""
		for _, e := range got.functions {
			if e.name != Refuel {
				kept += e.name
			}
		}
		if kept != test.keeps {
			t.Errorf("%s: kept %q, want %q", test.name, kept, test.keeps)
		}
	}
}
