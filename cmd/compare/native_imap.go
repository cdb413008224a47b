package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// imapLineMax is the longest line of a server, and tagMax of a client's tag, in bytes, as
// the imap guest has them.
const (
	imapLineMax = 4096
	tagMax      = 64
)

// notClear are capabilities that are not true before TLS.
var notClear = []string{"STARTTLS", "LOGINDISABLED", "SASL-IR", "LITERAL+", "LITERAL-", "UNAUTHENTICATE", "COMPRESS=DEFLATE"}

// nativeIMAP is the server mode of the imap guest in Go, for a client that asks for
// TLS, CAPABILITY, NOOP or LOGOUT: the same words on the wire.
type nativeIMAP struct {
	nativeSMTP // its readers
}

// Negotiate answers the client until it has asked for TLS and has it.
func (n *nativeIMAP) Negotiate(ctx context.Context, h guest.Host, l guest.Limits) (*guest.Outcome, error) {
	c := newConversation(h, l, "imap")
	var err error
	if c.server, err = h.Connect(ctx); err != nil {
		_ = c.say("* BYE Mail server not available\r\n") // the client may be gone
		return nil, c.refusal("connecting to the server", err)
	}
	replies, commands := n.reader(c.server), n.reader(c.client)
	defer n.release(replies)
	defer n.release(commands)
	list, err := c.imapGreeting(replies)
	if err != nil {
		return nil, err
	}
	if err := c.imapCommands(commands, list); err != nil {
		return nil, err
	}
	if commands.Buffered() > 0 {
		_ = c.say("* BYE Data after STARTTLS\r\n")
		return nil, c.refusal("client sent data after STARTTLS without waiting for the answer", nil)
	}
	o, err := c.upgrade(ctx)
	if err != nil {
		return nil, err
	}
	_ = c.server.SetDeadline(time.Time{}) // a closed connection tells the relay itself
	early, _ := replies.Peek(replies.Buffered())
	o.Conns[1], o.Unread[1] = c.server, slices.Clone(early)
	return o, nil
}

// imapGreeting forwards the server's greeting with the capabilities that are true before
// TLS, and gives them.
func (c *conversation) imapGreeting(r *bufio.Reader) (list string, err error) {
	c.arm(c.server)
	line, err := r.ReadSlice('\n')
	if err != nil || len(line) > imapLineMax {
		_ = c.say("* BYE Mail server not available\r\n")
		return "", c.refusal("reading the server's greeting", err)
	}
	if bytes.HasPrefix(line, []byte("* BYE ")) {
		_ = c.say(string(chomp(line)) + "\r\n")
		return "", c.refusal(fmt.Sprintf("server greeted with %.100q", line), nil)
	}
	text, ok := bytes.CutPrefix(chomp(line), []byte("* OK "))
	if !ok || hasControl(text) {
		_ = c.say("* BYE Mail server not available\r\n")
		return "", c.refusal(fmt.Sprintf("server greeted with %.100q", line), nil)
	}
	if offered, ok := bytes.CutPrefix(text, []byte("[CAPABILITY ")); ok {
		if offered, rest, ok := bytes.Cut(offered, []byte("]")); ok {
			list = clearCapabilities(string(offered))
			return list, c.say("* OK [CAPABILITY " + list + "] " + strings.TrimSpace(string(rest)) + " (stunnel)\r\n")
		}
	}
	return "", c.say("* OK " + string(text) + " (stunnel)\r\n")
}

// clearCapabilities is what of a list is true before TLS.
func clearCapabilities(list string) string {
	words := slices.DeleteFunc(strings.Fields(list), func(w string) bool {
		upper := strings.ToUpper(w)
		return strings.HasPrefix(upper, "AUTH=") || slices.Contains(notClear, upper)
	})
	return strings.Join(append(words, "STARTTLS", "LOGINDISABLED"), " ")
}

// imapCommands answers until STARTTLS (RFC 3501, section 6).
func (c *conversation) imapCommands(r *bufio.Reader, list string) error {
	for range commandsMax {
		line, err := c.command(r)
		if err != nil {
			return c.refusal("reading the client's command", err)
		}
		tag, verb := splitWord(line)
		if len(tag) == 0 || len(tag) > tagMax || hasControl(line) {
			if err := c.say("* BAD Tag missing or invalid\r\n"); err != nil {
				return err
			}
			continue
		}
		answer := "BAD Unknown command, or one for after STARTTLS"
		switch command := strings.ToUpper(string(verb)); command {
		case "STARTTLS":
			return c.say(string(tag) + " OK Begin TLS negotiation now\r\n")
		case "NOOP":
			answer = "OK NOOP completed"
		case "LOGOUT":
			if err := c.say("* BYE Logging out\r\n" + string(tag) + " OK LOGOUT completed\r\n"); err != nil {
				return err
			}
			return c.refusal("client logged out without STARTTLS", nil)
		case "CAPABILITY":
			if err := c.say("* CAPABILITY " + list + "\r\n"); err != nil {
				return err
			}
			answer = "OK CAPABILITY completed"
		}
		if err := c.say(string(tag) + " " + answer + "\r\n"); err != nil {
			return err
		}
	}
	return c.refusal("client sent too many commands without STARTTLS", nil)
}
