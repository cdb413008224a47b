// Package program starts what exec names: an inetd-type program that speaks with its
// peer over its standard input and output.
//
// The program has one end of a connection, and a [Process] the other. Where it asks for
// a terminal, the connection is one, and the program leads a session whose controlling
// terminal it is. Otherwise it is a pair of TCP sockets on the loopback address, as in
// stunnel: programs of inetd look their peer up, and cannot read a Unix address; and only
// TCP can tell them that a connection broke off instead of ending.
//
// Nothing else of this process reaches the program: no descriptor, no variable that is
// meant for this process, no signal that is ignored.
package program

import (
	"net"
	"os"
)

// A Command says what to start.
type Command struct {
	Path     string   // executed as it is; PATH is not searched
	Args     []string // from the program's own name on; empty: Path alone
	Env      []string // see Environ
	Terminal bool     // give it a pseudo terminal in place of a socket
	Stderr   *os.File // its standard error; nil: the connection
}

func (c *Command) argv() []string {
	if len(c.Args) == 0 {
		return []string{c.Path}
	}
	return c.Args
}

// A Process is a program that runs. Wait must be called once.
type Process struct {
	// Conn is our end of the program's connection, and belongs to who started it. That of
	// a terminal has no CloseWrite: it can only be closed whole, which hangs up on the
	// program.
	Conn net.Conn
	PID  int
	// Terminal names the program's terminal; empty: it has none.
	Terminal string

	wait func() (string, error)
}

// Wait waits until the program has ended, and says how in stunnel's words: "finished
// with code 0", "terminated on SIGKILL".
func (p *Process) Wait() (string, error) { return p.wait() }
