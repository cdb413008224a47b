package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// A Part says which part of the configuration an [Error] is about when no single
// line is to blame.
type Part int

const (
	PartLine    Part = iota // a line; or, without a line number, the file as a whole
	PartService             // a section that has ended
	PartInetd               // the whole file, where it has no section
	PartGlobal              // the options before the first section
)

// An Error is one thing that is wrong with a configuration.
type Error struct {
	File    string
	Line    int
	Text    string // the line, trimmed; a secret's value is replaced
	Reason  string // in stunnel's words where stunnel has any
	Hint    string // what to do about it, a sentence without a full stop; may be empty
	Section string // the service's name, for PartService
	Part    Part
}

// Error gives the text in stunnel's form: `FILE:LINE: "LINE TEXT": REASON` or, for
// what a section lacks, `Service [NAME]: REASON`.
func (e *Error) Error() string {
	switch {
	case e.Part == PartService:
		return fmt.Sprintf("Service [%s]: %s", printable(e.Section), e.Reason)
	case e.Part == PartInetd:
		return "Inetd mode: " + e.Reason
	case e.Part == PartGlobal:
		return "Global options: " + e.Reason
	case e.Line == 0:
		return e.Reason
	}
	return fmt.Sprintf("%s:%d: \"%s\": %s", e.File, e.Line, e.Text, e.Reason)
}

// WithHint sets the hint and returns the error.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Errors is everything that is wrong with a configuration, in file order.
type Errors []*Error

func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each [*Error] to errors.As.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// Errorf makes an error about the line at p.
func (p Place) Errorf(format string, args ...any) *Error {
	return &Error{File: p.File, Line: p.Line, Text: p.Text, Reason: fmt.Sprintf(format, args...)}
}

// Errorf makes an error about a service. It stands at the line of the option, in any
// case of letters, or names the service alone if the option was not set.
func (s *Service) Errorf(option, format string, args ...any) *Error {
	if p, ok := s.Pos[strings.ToLower(option)]; ok {
		e := p.Errorf(format, args...)
		e.Section = s.Name
		return e
	}
	part := PartService
	if s.inetd {
		part = PartInetd
	}
	return &Error{File: s.File, Line: s.Line, Text: "[" + s.Name + "]", Section: s.Name, Part: part,
		Reason: fmt.Sprintf(format, args...)}
}

// refuse makes an error that does not know its place yet.
func refuse(reason, hint string) *Error {
	return &Error{Reason: reason, Hint: hint}
}

// orHint sets a hint where there is none.
func (e *Error) orHint(hint string) *Error {
	if e.Hint == "" {
		e.Hint = hint
	}
	return e
}

// unwrapPath takes the path off an error that is told with the path beside it.
func unwrapPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
