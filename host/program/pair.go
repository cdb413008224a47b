package program

import (
	"context"
	"errors"
	"net"
	"time"
)

const (
	// pairTime bounds making a pair, which takes the kernel a moment.
	pairTime = 5 * time.Second
	// maxStrangers is how many connections of others may come before our own.
	maxStrangers = 64
)

// errStrangers is the error where somebody floods the port of a pair.
var errStrangers = errors.New("others take the place of the program's connection")

// loopbackPair makes two TCP sockets that are connected to each other. Any user of the
// machine can connect to the port while it listens, and whoever came first would speak
// with the program, or with its client, in the other's place: only the connection whose
// two addresses are those of our own is taken.
func loopbackPair() (ours, theirs *net.TCPConn, err error) {
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	until := time.Now().Add(pairTime)
	ln.(*net.TCPListener).SetDeadline(until)
	dialer := net.Dialer{Deadline: until, KeepAlive: -1}
	dialer.SetMultipathTCP(false)
	near, err := dialer.Dial("tcp4", ln.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	far, err := acceptFrom(ln, near.LocalAddr())
	if err != nil {
		near.Close()
		return nil, nil, err
	}
	return near.(*net.TCPConn), far.(*net.TCPConn), nil
}

// acceptFrom accepts the connection of one address, and closes those of others.
func acceptFrom(ln net.Listener, want net.Addr) (net.Conn, error) {
	for range maxStrangers {
		c, err := ln.Accept()
		if err != nil {
			return nil, err
		}
		if c.RemoteAddr().String() == want.String() {
			return c, nil
		}
		c.Close()
	}
	return nil, errStrangers
}
