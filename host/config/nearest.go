package config

import "strings"

// Lookup finds an option by its name or an alias, in any case of letters.
func Lookup(name string) (*Option, bool) {
	o, ok := optionsByName[strings.ToLower(name)]
	return o, ok
}

// optionsByName is [Options] by lower-case name and alias.
var optionsByName = func() map[string]*Option {
	m := map[string]*Option{}
	for i := range Options {
		o := &Options[i]
		m[strings.ToLower(o.Name)] = o
		for _, a := range o.Aliases {
			m[strings.ToLower(a)] = o
		}
	}
	return m
}()

// maxDistance is how many letters a name may be off and still be taken for another.
const maxDistance = 3

// allNames are the names and aliases of [Options], in their order.
var allNames = func() (names []string) {
	for _, o := range Options {
		names = append(append(names, o.Name), o.Aliases...)
	}
	return names
}()

// nearest gives the option whose name is closest to a wrong one, or nil if none is
// close enough to be meant.
func nearest(name string) *Option {
	o, _ := Lookup(closest(name, allNames))
	return o
}

// closest gives the name that a wrong one was most likely meant for, in any case of
// letters; empty: none is close enough.
func closest(name string, names []string) (best string) {
	limit := min(maxDistance, 1+len(name)/4) + 1
	if name == "" || len(name) > 64 { // no name is half as long; do not compute a page-long distance
		return ""
	}
	lower := strings.ToLower(name)
	for _, n := range names {
		if d := distance(lower, strings.ToLower(n)); d < limit {
			best, limit = n, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace between two names
// (Levenshtein), with two neighbours swapped counted as one.
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

// soundsSecret tells whether a line of that option, or of what looks like a
// misspelling of one, holds a value that must not be printed.
func soundsSecret(name string) bool {
	if o, ok := Lookup(name); ok {
		return o.Secret
	}
	if o := nearest(name); o != nil && o.Secret {
		return true
	}
	n := strings.ToLower(name)
	return strings.Contains(n, "pass") || strings.Contains(n, "secret") || strings.HasSuffix(n, "pin")
}
