package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// nameWidth is the column at which stunnel puts the equals sign.
const nameWidth = 22

// WriteHelp writes what -help prints: every option with its form and meaning, in
// stunnel's layout.
func WriteHelp(w io.Writer) error {
	return writeScopes(w, func(o *Option) []string {
		line := o.Form + ": " + o.Doc
		switch o.Status {
		case NoOp:
			line += " (no effect: " + o.Note + ")"
		case Refused:
			line += " (" + o.Status.String() + ")"
		}
		return []string{line}
	})
}

// WriteDefaults writes the list of default values that -version ends with.
func WriteDefaults(w io.Writer) error {
	return writeScopes(w, func(o *Option) []string {
		switch {
		case o.Default == "" || o.Status == NoOp || o.Status == Refused:
			return nil
		case o.List:
			return strings.Split(o.Default, ", ")
		}
		return []string{o.Default}
	})
}

// writeScopes writes the lines of each option under a heading for its scope. An option
// of another system is left out.
func writeScopes(w io.Writer, lines func(*Option) []string) error {
	b := bufio.NewWriter(w)
	for scope, heading := range []string{"Global options:", "Service-level options:"} {
		if scope > 0 {
			fmt.Fprintln(b, " ") // stunnel's separator is a blank, not an empty line
		}
		fmt.Fprintln(b, heading)
		for i := range Options {
			o := &Options[i]
			if o.Scope != Scope(scope) || !o.here() {
				continue
			}
			for _, line := range lines(o) {
				fmt.Fprintf(b, "%-*s = %s\n", nameWidth, o.Name, line)
			}
		}
	}
	return b.Flush()
}

// WriteTLSOptions writes what -options prints: every name of options = and what it
// leads to.
func WriteTLSOptions(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "Supported TLS options:")
	for _, o := range TLSOptions {
		fmt.Fprintf(b, "options = %-39s  %s: %s\n", o.Name, o.Status, o.Note)
	}
	return b.Flush()
}
