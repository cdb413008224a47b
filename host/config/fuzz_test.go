package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reference reads a file by stunnel's line rules, in the plainest way.
func reference(src string) (items []item, broken []int) {
	src = strings.TrimPrefix(src, "\xef\xbb\xbf")
	for i, l := range strings.Split(src, "\n") {
		l = strings.ReplaceAll(l, "\r", "")
		long := len(l) >= 16384
		l = strings.TrimFunc(l, func(r rune) bool { return r == ' ' || r == '\t' || r == '\v' || r == '\f' })
		switch eq := strings.IndexByte(l, '='); {
		case l == "" || l[0] == ';' || l[0] == '#':
		case long || strings.Contains(l, "\x00"):
			broken = append(broken, i+1)
		case strings.HasPrefix(l, "[") && strings.HasSuffix(l, "]"):
			items = append(items, item{line: i + 1, section: true, name: l[1 : len(l)-1], text: l})
		case eq < 0:
			broken = append(broken, i+1)
		default:
			items = append(items, item{line: i + 1, name: strings.TrimRight(l[:eq], " \t\v\f"),
				value: strings.TrimLeft(l[eq+1:], " \t\v\f"), text: l})
		}
	}
	return items, broken
}

// FuzzLoadReader compares the split into lines with the reference, and sees to it that
// every line of an accepted file has its place in the result.
func FuzzLoadReader(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.conf", "testdata/bad/*.txt"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatal(paths, err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(data))
		}
	}
	for _, value := range []string{"\"\"\"", "`", "a\\", "%(a)s", "'q'", "\"", "a ; b # c", "\u00a0", "\xff"} {
		f.Add("[s]\nprotocolHost = " + value + "\naccept = 1\nconnect = 2\nclient = yes\n[" + value + "]\n")
	}
	f.Add("\xff\xfef\x00")
	f.Add("- = x\r\n[DEFAULT]\n[a.b]\n[]\n = \n=\n[x]]\n[#]\n[;]")
	f.Fuzz(func(t *testing.T, src string) {
		items, errs := scan("f", strings.NewReader(src))
		if len(errs) == MaxErrors {
			return // the rest is left unread
		}
		if strings.HasPrefix(src, "\xff\xfe") || strings.HasPrefix(src, "\xfe\xff") {
			if len(errs) != 1 {
				t.Fatalf("UTF-16 leads to %v", errs)
			}
			return
		}
		want, broken := reference(src)
		if !slices.Equal(items, want) {
			t.Fatalf("%q:\ngot  %+v\nwant %+v", src, items, want)
		}
		var lines []int
		for _, e := range errs {
			lines = append(lines, e.Line)
		}
		if !slices.Equal(lines, broken) {
			t.Fatalf("%q: broken lines %v, want %v", src, lines, broken)
		}
		if strings.Contains(strings.ToLower(src), "include") {
			return // would read this machine's files
		}
		checkAccounted(t, src, items)
	})
}

// checkAccounted loads a text and, if it is accepted, looks for each of its lines.
func checkAccounted(t *testing.T, src string, items []item) {
	c, err := LoadReader("3", strings.NewReader(src))
	if err != nil {
		if errs, ok := err.(Errors); !ok || len(errs) == 0 || c != nil || errs.Error() == "" {
			t.Fatalf("config %v with error %#v", c, err)
		}
		return
	}
	section := -1
	for _, it := range items {
		if it.section {
			section++
			if s := c.Services[section]; s.Line != it.line {
				t.Fatalf("section at line %d is taken for one at %d", it.line, s.Line)
			}
			continue
		}
		o, ok := Lookup(it.name)
		if !ok {
			t.Fatalf("line %d: unknown option %q is accepted", it.line, it.name)
		}
		if o.Scope == GlobalScope {
			if section >= 0 {
				t.Fatalf("line %d: global %s is accepted in a section", it.line, o.Name)
			}
			continue
		}
		s := c.Services[max(section, 0)]
		place, ok := s.Pos[strings.ToLower(o.Name)]
		if !ok || section >= 0 && place.Line < it.line {
			t.Fatalf("line %d: %s has place %+v", it.line, o.Name, place)
		}
	}
	if section+1 != len(c.Services) {
		t.Fatalf("%d sections, %d services", section+1, len(c.Services))
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"443", "::1:443", ":::443", "[::1]:443", "/run/x", "a:b:c", "", ":", "[]:1", "host:25", "[fe80::1%eth0]:1"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, accept bool) {
		a, err := ParseAddress(s, accept)
		if err != nil {
			return
		}
		// What is printed, and so told to users and put into files, reads back the same.
		b, err := ParseAddress(a.String(), accept)
		if err != nil || a != b {
			t.Fatalf("%q is %+v, printed as %q, which is %+v, %v", s, a, a.String(), b, err)
		}
	})
}
