package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// A protocol is a negotiation that is compared: what its backend greets with, and what
// its clients say before TLS and inside it.
type protocol struct {
	greeting string // of the backend; empty: it waits
	before   func(c net.Conn) error
	inside   func(c net.Conn, target string) error
	conf     string // more lines for the proxy under test
}

// protocols are those with a target of their own, by name. stunnel has each of them in
// server mode.
var protocols = map[string]protocol{
	"smtp": {greeting: "220 localhost ESMTP\r\n", before: dialogue(
		line{"", "220"}, line{"EHLO client.example\r\n", "250"}, line{"STARTTLS\r\n", "220"})},
	"imap": {greeting: "* OK [CAPABILITY IMAP4rev1 ID IDLE AUTH=PLAIN] localhost ready\r\n", before: dialogue(
		line{"", "* OK"}, line{"a STARTTLS\r\n", "a OK"})},
	"pgsql": {before: sslRequest},
	"socks": {inside: socks5, conf: "guestDial = 127.0.0.0/8:*\n"},
}

// A line is what a client says and how the answer must begin.
type line struct{ say, want string }

// dialogue is a conversation of lines. An answer goes on while its fourth byte is a
// hyphen, as SMTP's do.
func dialogue(steps ...line) func(net.Conn) error {
	return func(c net.Conn) error {
		r := bufio.NewReaderSize(c, 512)
		for _, step := range steps {
			if _, err := io.WriteString(c, step.say); err != nil {
				return err
			}
			for more := true; more; {
				text, err := r.ReadString('\n')
				if err != nil {
					return err
				}
				if !strings.HasPrefix(text, step.want) {
					return fmt.Errorf("reply is %q, want %s", text, step.want)
				}
				more = len(text) > 3 && text[3] == '-'
			}
		}
		return nil
	}
}

// postgresSSL is PostgreSQL's SSLRequest.
var postgresSSL = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

func sslRequest(c net.Conn) error {
	if _, err := c.Write(postgresSSL); err != nil {
		return err
	}
	return wantBytes(c, "S")
}

// socks5 asks for a target by its address (RFC 1928). It is written as IPv4 in IPv6, the
// one form of a loopback address that stunnel's server does not refuse.
func socks5(c net.Conn, target string) error {
	addr, err := netip.ParseAddrPort(target)
	if err != nil {
		return err
	}
	if _, err := c.Write([]byte{5, 1, 0}); err != nil {
		return err
	}
	if err := wantBytes(c, "\x05\x00"); err != nil {
		return err
	}
	mapped := addr.Addr().As16()
	request := binary.BigEndian.AppendUint16(append([]byte{5, 1, 0, 4}, mapped[:]...), addr.Port())
	if _, err := c.Write(request); err != nil {
		return err
	}
	if err := wantBytes(c, "\x05\x00\x00"); err != nil {
		return err
	}
	var kind [1]byte
	if _, err := io.ReadFull(c, kind[:]); err != nil {
		return err
	}
	size := 6
	if kind[0] == 4 {
		size = 18
	}
	_, err = io.ReadFull(c, make([]byte, size))
	return err
}

func wantBytes(c net.Conn, want string) error {
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, []byte(want)) {
		return fmt.Errorf("reply is %q, want %q", got, want)
	}
	return nil
}
