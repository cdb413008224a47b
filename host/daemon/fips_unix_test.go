//go:build unix

package daemon

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What is put into the environment for the program's second run is taken out by it.
func TestFIPSEnvironment(t *testing.T) {
	for _, before := range []string{"", "x509sha1=1", "fips140=off", "a=1,fips140=only,b=2"} {
		t.Setenv("GODEBUG", before)
		if before == "" {
			os.Unsetenv("GODEBUG")
		}
		want := os.Environ()
		d := &daemon{src: &Source{FD: 7}, environ: os.Environ()}
		env := inMode(true, d.nextEnviron())
		debug := ""
		for _, v := range env {
			if text, ok := strings.CutPrefix(v, "GODEBUG="); ok {
				debug += text
			}
		}
		if !strings.HasPrefix(debug, "fips140=on") || strings.Count(debug, "fips140=") != 1 ||
			strings.Contains(before, "a=1") && debug != "fips140=on,a=1,b=2" {
			t.Errorf("%q becomes %q", before, debug)
		}
		for _, v := range env {
			name, value, _ := strings.Cut(v, "=")
			if name == "GODEBUG" || name == fipsVariable || name == sourceVariable {
				t.Setenv(name, value)
			}
		}
		second := &daemon{src: &Source{FD: 9}}
		second.adopt()
		if got := os.Environ(); !slices.Equal(sorted(got), sorted(want)) {
			t.Errorf("%q leaves %q", before, got)
		}
		if !second.begunAnew || second.src.descriptor() != "7" {
			t.Errorf("begun anew %v, descriptor %s", second.begunAnew, second.src.descriptor())
		}
	}
	first := &daemon{src: &Source{FD: 9}}
	if first.adopt(); first.begunAnew || first.src.descriptor() != "9" {
		t.Error("a first run takes itself for a second")
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
