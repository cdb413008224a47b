package config

import (
	"fmt"
	"strings"
)

// A state is what the lines of one part of a file, the global part or a section, have
// said so far.
type state struct {
	above  *state            // the global part's, for a section
	lines  map[string]string // lower-case option -> its value in this part
	places map[string]Place  // and where it stands
	failed map[string]bool   // options that were refused, or seem to be meant by a broken line
}

func newState(above *state) *state {
	return &state{above: above, lines: map[string]string{}, places: map[string]Place{}, failed: map[string]bool{}}
}

func (s *state) refuse(o *Option) { s.failed[strings.ToLower(o.Name)] = true }

// refused tells whether any of the options, in lower case, was refused here or above.
func (s *state) refused(names ...string) bool {
	for _, n := range names {
		if s.failed[n] || s.above != nil && s.above.failed[n] {
			return true
		}
	}
	return false
}

// repeat refuses a line if the option has another value in this part already. stunnel
// takes the last such line; which one was meant, nobody can tell.
func (s *state) repeat(o *Option, value string) *Error {
	name := strings.ToLower(o.Name)
	if first, ok := s.lines[name]; ok && !o.List && first != value {
		return refuse("Option given twice with different values",
			fmt.Sprintf("keep one; the other is at %s:%d", s.places[name].File, s.places[name].Line))
	}
	return nil
}

// accept notes a line that was accepted.
func (s *state) accept(o *Option, value string, place Place) {
	name := strings.ToLower(o.Name)
	if _, ok := s.lines[name]; !ok {
		s.lines[name], s.places[name] = value, place
	}
}
