package abi

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/abi.md anew")

// TestReference holds the author's reference to the tables.
func TestReference(t *testing.T) {
	var b strings.Builder
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	const file = "../docs/abi.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != b.String() {
		t.Errorf("%s is not what the tables say: go test ./abi -update", file)
	}
}

// TestTables holds the numbers apart: version 1 only appends, and a number that was
// given twice would be two things at once.
func TestTables(t *testing.T) {
	numbers := map[string]bool{}
	once := func(kind string, n int32, name string) {
		t.Helper()
		key := kind + " " + string(rune(n))
		if numbers[key] || name == "" {
			t.Errorf("%s %d (%s) stands twice, or has no name", kind, n, name)
		}
		numbers[key] = true
	}
	for i, c := range Codes {
		once("code", -int32(c.Code), c.Name)
		if c.Code != Code(-i-1) {
			t.Errorf("code %s is %d", c.Name, c.Code)
		}
	}
	for _, i := range Infos {
		once("info", int32(i.ID), i.Name)
	}
	for _, d := range Digests {
		once("digest", int32(d.Alg), d.Name)
	}
	names := map[string]bool{}
	for _, f := range Functions {
		if names[f.Name] {
			t.Errorf("function %s stands twice", f.Name)
		}
		names[f.Name] = true
	}
}
