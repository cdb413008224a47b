package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Bounds of the mail sink: it is there to be played with, not to be filled.
const (
	maxLine    = 4 << 10
	maxMessage = 1 << 20
	mailWait   = 5 * time.Minute
)

// serveMail is a mail server without TLS that prints what it gets (RFC 5321, as
// much of it as clients need).
func serveMail(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			c.SetDeadline(time.Now().Add(mailWait))
			session(c)
		}()
	}
}

func session(c net.Conn) {
	r := bufio.NewReaderSize(c, maxLine)
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 localhost ESMTP quickstart")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-localhost")
			say("250 8BITMIME")
		case "HELO", "MAIL", "RCPT", "RSET", "NOOP":
			say("250 Ok")
		case "DATA":
			say("354 Go ahead")
			n, err := message(r)
			if err != nil {
				return
			}
			fmt.Printf("quickstart: mail received, %d bytes\n", n)
			say("250 Ok, %d bytes", n)
		case "QUIT":
			say("221 Bye")
			return
		default:
			say("502 Command not implemented")
		}
	}
}

// message reads to the line with a dot alone and counts the bytes.
func message(r *bufio.Reader) (n int, err error) {
	for n < maxMessage {
		line, err := r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return n, err
		}
		if string(line) == ".\r\n" {
			return n, nil
		}
		n += len(line)
	}
	return n, io.ErrShortBuffer
}
