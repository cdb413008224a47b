// Package guestcmd is the command line for those who write guests, or are asked to run
// one: stunnel-wasm guest COMMAND.
//
// What goes wrong is told as age tells it: a line in lower case behind the program's
// name, and a hint on a line of its own. The exit status is 0, 1 when a guest or the
// work on it failed, and 2 for arguments that make no sense.
package guestcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// A command is one of the words behind "guest".
type command struct {
	name, form, doc string
	run             func(t *tool, args []string) error
}

// commands lists them in the order of -help.
func commands() []command {
	return []command{
		{"inspect", "DIR|FILE|NAME [CONFIG]", "what a guest may do, and whether the config would load it", (*tool).inspect},
		{"new", "--lang rust|go|c [--policy] NAME", "begin a guest: a folder that builds, with passing transcripts", (*tool).create},
		{"test", "[--strict] DIR|FILE|NAME [FLIGHT...]", "play transcripts against a guest, and probe it", (*tool).test},
		{"run", "DIR|FILE|NAME [-client] -accept ADDR -connect ADDR [-cert FILE] [KEY=VALUE...]", "try a guest out between two sockets", (*tool).try},
		{"record", "CONFIG SERVICE", "write the transcript of a service's next connection", (*tool).record},
		{"replay", "FLIGHT [MODULE]", "play a transcript as it was recorded", (*tool).replay},
		{"bench", "DIR|FILE|NAME [DIR]", "what loading a guest takes, and each of its transcripts", (*tool).bench},
	}
}

// A tool is one run of a command.
type tool struct {
	ctx            context.Context
	locate         func(string) string
	stdout, stderr io.Writer
}

// A complaint is an error with what to do about it.
type complaint struct {
	err  error
	hint string
}

func (c *complaint) Error() string { return c.err.Error() }

func (c *complaint) Unwrap() error { return c.err }

// hint adds what to do about an error.
func hint(err error, format string, args ...any) error {
	return &complaint{err, fmt.Sprintf(format, args...)}
}

var (
	// errFailed ends a command that has told all already.
	errFailed = errors.New("failed")

	errUsage = errors.New("usage")
)

// Run runs the command that the arguments behind "guest" name, and gives the exit status.
// A configuration is found by locate, as the daemon finds it, which may be in another
// working directory from then on.
func Run(ctx context.Context, args []string, locate func(string) string, stdout, stderr io.Writer) int {
	t := &tool{ctx, locate, stdout, stderr}
	err := t.dispatch(args)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
		return 1
	case errors.Is(err, errUsage):
		if err != errUsage {
			fmt.Fprintf(stderr, "stunnel-wasm: %v\n", err)
		}
		return 2
	}
	fmt.Fprintf(stderr, "stunnel-wasm: %v\n", err)
	if c, ok := errors.AsType[*complaint](err); ok {
		fmt.Fprintf(stderr, "stunnel-wasm: hint: %s\n", c.hint)
	}
	return 1
}

func (t *tool) dispatch(args []string) error {
	if len(args) == 0 {
		WriteHelp(t.stderr)
		return errUsage
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(t, args[1:])
		if err == errUsage {
			return fmt.Errorf("%w: stunnel-wasm guest %s %s", errUsage, c.name, c.form)
		}
		return err
	}
	WriteHelp(t.stderr)
	return fmt.Errorf("%w: there is no command %q", errUsage, args[0])
}

// WriteHelp lists the commands.
func WriteHelp(w io.Writer) {
	for _, c := range commands() {
		fmt.Fprintf(w, "stunnel-wasm guest %s %s\n        %s\n", c.name, c.form, c.doc)
	}
}
