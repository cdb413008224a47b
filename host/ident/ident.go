// Package ident asks a client's machine which of its users a connection belongs to
// (RFC 1413). The answer is worth as much as that machine's word, on a network where
// nobody else can answer for it.
package ident

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Port is where an ident server listens (RFC 1413, section 3).
const Port = 113

// maxReply bounds a reply, in bytes (RFC 1413, section 4).
const maxReply = 1000

// User asks the remote side's machine who made the connection that it has with local.
// Connecting and the answer each take at most the time-out that is given for them.
func User(ctx context.Context, local, remote netip.AddrPort, connect, reply time.Duration) (string, error) {
	// From the address of the connection: servers answer nobody else.
	d := net.Dialer{Timeout: connect, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local.Addr(), 0))}
	c, err := d.DialContext(ctx, "tcp", netip.AddrPortFrom(remote.Addr(), Port).String())
	if err != nil {
		return "", fmt.Errorf("connecting to the ident server: %w", err)
	}
	defer c.Close()
	// In this order, or an end of ctx in between would be forgotten.
	c.SetDeadline(time.Now().Add(reply))
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	return ask(c, remote.Port(), local.Port())
}

// ask puts the question and reads the answer. Theirs is the port on the asked machine.
func ask(c io.ReadWriter, theirs, ours uint16) (string, error) {
	if _, err := fmt.Fprintf(c, "%d , %d\r\n", theirs, ours); err != nil {
		return "", fmt.Errorf("asking the ident server: %w", err)
	}
	line, err := bufio.NewReaderSize(io.LimitReader(c, maxReply), maxReply).ReadString('\n')
	if err != nil {
		if err == io.EOF && len(line) >= maxReply {
			return "", fmt.Errorf("reply of the ident server is longer than %d bytes", maxReply)
		}
		return "", fmt.Errorf("reading the ident server's reply: %w", err)
	}
	return parse(strings.TrimRight(line, "\r\n"), theirs, ours)
}

// parse takes a reply apart: PORTS : USERID : OPSYS[,CHARSET] : USER. A user may have colons
// and blanks in it; those before it are left out, as in stunnel.
func parse(line string, theirs, ours uint16) (string, error) {
	ports, rest, ok := strings.Cut(line, ":")
	kind, rest, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return "", fmt.Errorf("malformed ident reply %q", line)
	}
	// An answer to another question is no answer to this one.
	if a, b, ok := strings.Cut(ports, ","); !ok || !isPort(a, theirs) || !isPort(b, ours) {
		return "", fmt.Errorf("ident reply %q is for other ports than %d and %d", line, theirs, ours)
	}
	switch strings.TrimSpace(kind) {
	case "USERID":
	case "ERROR":
		return "", fmt.Errorf("ident server: %q", strings.TrimSpace(rest))
	default:
		return "", fmt.Errorf("incorrect ident reply type %q", strings.TrimSpace(kind))
	}
	_, user, ok := strings.Cut(rest, ":")
	if user = strings.TrimLeft(user, " \t"); !ok || user == "" {
		return "", errors.New("ident reply names no user")
	}
	return user, nil
}

func isPort(text string, port uint16) bool {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	return err == nil && uint16(n) == port
}
