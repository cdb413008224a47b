package config

import (
	"runtime"
	"slices"
	"strings"
)

// A Scope says where an option may stand.
type Scope int

const (
	GlobalScope  Scope = iota // before the first section alone
	ServiceScope              // in a section, or before the first as the default of all
)

func (s Scope) String() string {
	if s == GlobalScope {
		return "global"
	}
	return "service"
}

// A Status says what setting an option leads to.
type Status int

const (
	Works   Status = iota // same effect as stunnel's, seen from outside
	NoOp                  // accepted and checked, no effect: a [Note] is given
	Refused               // an error: it cannot be had here
)

func (s Status) String() string {
	return [...]string{"works", "note", "refused"}[s]
}

// An Option is one name that a configuration file can set.
type Option struct {
	Name     string   // as the manual spells it; compared without case
	Aliases  []string // older or other names of it
	Scope    Scope
	Form     string // the value's form: "yes|no", "seconds", "file"
	Default  string // as -version prints it; empty: none worth printing
	List     bool   // may be repeated, each value counts
	Secret   bool   // the value is never printed
	Platform string // the one system where the name exists, by platforms; empty: all
	Doc      string // what it sets: a sentence's worth without capital and full stop
	Status   Status
	Note     string // for NoOp: why it has no effect; for Refused: what to do or know

	// parse checks a value and stores it. It never stores what a Refused
	// option says: there it only finds values that no release will take.
	parse func(t *target, value string) *Error

	// Shown gives as much of a secret value as can be printed: the name that it begins
	// with. nil: nothing.
	Shown func(value string) string
}

// here tells whether the option exists on this system.
func (o *Option) here() bool {
	return o.On(runtime.GOOS)
}

// Options is every option, in alphabetical order. It is never changed.
var Options = sorted(
	processOptions, sandboxOptions, globalRestOptions, globalGuestOptions,
	connectionOptions, tlsServiceOptions, sessionOptions, pskOptions,
	keyOptions, engineOptions, engineServiceOptions, trustOptions, revocationOptions, negotiationOptions, guestOptions,
)

func sorted(parts ...[]Option) []Option {
	all := slices.Concat(parts...)
	for i := range all {
		all[i].Platform = platforms[all[i].Name]
	}
	slices.SortFunc(all, func(a, b Option) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return all
}

// A target is where one line's value goes.
type target struct {
	cfg     *Config
	system  string   // GOOS of where the configuration is for
	global  bool     // before the first section
	service *Service // the section, or the defaults of later ones
	place   Place
}

// note records that the current line has no effect.
func (t *target) note(text string) {
	t.cfg.Notes = append(t.cfg.Notes, Note{File: t.place.File, Line: t.place.Line, Text: text})
}
