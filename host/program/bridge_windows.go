package program

import (
	"io"
	"net"
	"os"
	"time"
)

// leaveTime bounds how long the connection of a program that has ended stays open for
// whoever still writes to it.
const leaveTime = time.Second

// A bridge is the outer ends of a program's pipes, and carries bytes between them and the
// program's end of a connection, where the program cannot have that itself.
type bridge struct {
	input  *os.File // what is written to it, the program reads
	output *os.File
}

// carry returns when the program has ended, of which it is told, and all that it wrote has
// gone to the connection. It closes the connection and the pipes.
//
// The pipe of the output has its end later than the program: a process that the program has
// started may have it too, and what was written last is still in it. To close the
// connection with the program would lose that.
func (b bridge) carry(theirs *net.TCPConn, ended <-chan struct{}) {
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(b.input, theirs)
		b.input.Close()
		// What the program does not read is read here: a connection closed with bytes unread
		// is reset, and loses what was written to it before.
		io.Copy(io.Discard, theirs)
	}()
	io.Copy(theirs, b.output)
	b.output.Close() // where nobody hears the program, its next write fails
	theirs.CloseWrite()
	<-ended
	theirs.SetReadDeadline(time.Now().Add(leaveTime))
	<-read
	theirs.Close()
}
