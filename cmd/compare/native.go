package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// Bounds as the smtp guest has them.
const (
	replyMax    = 4096 // bytes of a greeting
	linesMax    = 100  // lines of a greeting
	commandMax  = 1024 // bytes of a command
	nameMax     = 255  // bytes of a host name
	refusedMax  = 10   // commands that are not taken
	commandsMax = 100  // commands in all
)

// startsTLS is the first byte of a record with a ClientHello (RFC 8446 section 5.1).
const startsTLS = 0x16

// nativeSMTP is the server mode of the smtp guest, written in Go for comparison: the
// same words on the wire, the same bounds and time-outs, without detectTLS. What the
// guest costs is what it costs more than this.
type nativeSMTP struct {
	readers sync.Pool // of *bufio.Reader, each replyMax bytes
}

func (n *nativeSMTP) reader(c net.Conn) *bufio.Reader {
	if r, ok := n.readers.Get().(*bufio.Reader); ok {
		r.Reset(c)
		return r
	}
	return bufio.NewReaderSize(c, replyMax)
}

func (n *nativeSMTP) release(r *bufio.Reader) {
	r.Reset(nil)
	n.readers.Put(r)
}

// Negotiate answers the client until it has asked for TLS and has it. Who ends ctx
// also cuts the connections, so that no read here has to watch it.
func (n *nativeSMTP) Negotiate(ctx context.Context, h guest.Host, l guest.Limits) (*guest.Outcome, error) {
	c := newConversation(h, l, "smtp")
	var err error
	if c.server, err = h.Connect(ctx); err != nil {
		c.apologize()
		return nil, c.refusal("connecting to the server", err)
	}
	replies, commands := n.reader(c.server), n.reader(c.client)
	defer n.release(replies)
	defer n.release(commands)
	if err := c.greet(replies); err != nil {
		return nil, err
	}
	if err := c.answer(commands); err != nil {
		return nil, err
	}
	if commands.Buffered() > 0 {
		// Plaintext from anyone on the path would pass for what the client says inside
		// TLS (RFC 3207 section 6; CVE-2011-0411).
		_ = c.say("554 5.5.1 Data after STARTTLS\r\n")
		return nil, c.refusal("client sent data after STARTTLS without waiting for the answer", nil)
	}
	c.arm(c.client)
	encrypted, err := h.StartTLS(ctx, abi.Accepted, nil, nil)
	if err != nil {
		return nil, c.refusal("starting TLS with the client", err)
	}
	for _, conn := range []net.Conn{c.client, c.server} {
		_ = conn.SetDeadline(time.Time{}) // a closed connection tells the relay itself
	}
	o := &guest.Outcome{Conns: [2]net.Conn{encrypted, c.server}, TLS: [2]bool{abi.Accepted: true}}
	early, _ := replies.Peek(replies.Buffered())
	o.Unread[abi.Outgoing] = slices.Clone(early)
	return o, nil
}

func (c *conversation) apologize() {
	_ = c.say("421 4.4.1 Mail server not available\r\n") // the client may be gone
}

// greet forwards the server's greeting with "stunnel for" behind the host name.
func (c *conversation) greet(r *bufio.Reader) error {
	c.name = "localhost"
	var reply bytes.Buffer
	for lines := 0; ; lines++ {
		c.arm(c.server)
		line, err := r.ReadSlice('\n')
		if err == nil && (lines == linesMax || reply.Len()+len(line) > replyMax) {
			err = errors.New("it is too long")
		}
		if err != nil {
			c.apologize()
			return c.refusal("reading the server's greeting", err)
		}
		text := chomp(line)
		code, last := replyCode(text)
		if code == "" || lines > 0 && code != string(reply.Bytes()[:3]) {
			c.apologize()
			return c.refusal(fmt.Sprintf("the server's greeting is no SMTP reply: %.100q", text), nil)
		}
		if lines == 0 && code == "220" {
			text = c.introduce(text)
		}
		reply.Write(text)
		reply.WriteString("\r\n")
		if !last {
			continue
		}
		err = c.say(reply.String())
		if err == nil && code != "220" {
			err = c.refusal(fmt.Sprintf("server greeted with %.100q", text), nil)
		}
		return err
	}
}

// introduce puts us into the first line of a greeting, and keeps the server's name.
func (c *conversation) introduce(line []byte) []byte {
	if len(line) < 4 {
		return line
	}
	name, rest := splitWord(line[4:])
	if len(name) == 0 || len(name) > nameMax {
		return line
	}
	c.name = string(name)
	words := " stunnel"
	if len(rest) > 0 {
		words = " stunnel for"
	}
	return slices.Insert(slices.Clone(line), 4+len(name), []byte(words)...)
}

// answer takes commands until STARTTLS (RFC 5321 section 4.1.1, RFC 3207 section 4).
func (c *conversation) answer(r *bufio.Reader) error {
	c.arm(c.client)
	if first, err := r.Peek(1); err == nil && first[0] == startsTLS {
		return c.refusal("client spoke TLS without STARTTLS", nil)
	}
	hello, refused := false, 0
	for range commandsMax {
		line, err := c.command(r)
		if err != nil {
			return c.refusal("reading the client's command", err)
		}
		text, verdict := c.reply(line, &hello)
		if verdict == refuse {
			if refused++; refused == refusedMax {
				break
			}
		}
		if err := c.say(text); err != nil {
			return err
		}
		switch verdict {
		case upgrade:
			return nil
		case leave:
			return c.refusal("client quit without STARTTLS", nil)
		}
	}
	if err := c.say("421 4.7.0 Too many commands without STARTTLS\r\n"); err != nil {
		return err
	}
	return c.refusal("client sent too many commands without STARTTLS", nil)
}

// command reads a line. One that is too long is read to its end and comes as nil.
func (c *conversation) command(r *bufio.Reader) ([]byte, error) {
	long := false
	for {
		c.arm(c.client)
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = true
		case err != nil:
			return nil, err
		case long || len(line) > commandMax:
			return nil, nil
		default:
			return chomp(line), nil
		}
	}
}

// A verdict says what follows a reply.
type verdict int

const (
	proceed verdict = iota
	refuse
	upgrade
	leave
)

// reply settles the answer to a command; nil is one that was too long.
func (c *conversation) reply(line []byte, hello *bool) (string, verdict) {
	if line == nil {
		return "500 5.5.2 Line too long\r\n", refuse
	}
	if hasControl(line) {
		return "500 5.5.2 Control character in command\r\n", refuse
	}
	verb, argument := splitWord(line)
	switch command := strings.ToUpper(string(verb)); command {
	case "EHLO", "HELO":
		if len(argument) == 0 {
			return "501 5.5.4 Host name missing\r\n", refuse
		}
		c.host.Annotate("ehlo", string(argument))
		if *hello = command == "EHLO"; !*hello {
			return "250 " + c.name + "\r\n", proceed
		}
		return "250-" + c.name + "\r\n250 STARTTLS\r\n", proceed
	case "STARTTLS":
		switch {
		case len(argument) > 0:
			return "501 5.5.4 STARTTLS takes no argument\r\n", refuse
		case !*hello:
			return "503 5.5.1 EHLO first\r\n", refuse
		}
		return "220 Go ahead\r\n", upgrade
	case "NOOP", "RSET":
		return "250 2.0.0 Ok\r\n", proceed
	case "QUIT":
		return "221 2.0.0 Bye\r\n", leave
	case "MAIL", "RCPT", "DATA", "BDAT", "AUTH", "VRFY", "EXPN", "HELP", "ETRN", "ATRN", "TURN", "SEND", "SOML",
		"SAML", "BURL":
		return "530 5.7.0 Must issue a STARTTLS command first\r\n", refuse
	}
	return "500 5.5.1 Command not recognized\r\n", refuse
}
