package main

import (
	"strings"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

// A server answers a client that has not begun TLS. Nobody reaches the target before.
type server struct {
	name string
}

func (s *server) serve() error {
	for range maxPending {
		line, err := readLine(stunnel.Accepted)
		if err == stunnel.TooLong {
			_ = s.reply("417", ":Input line was too long")
			return s.refuse("sent a line of more than 512 bytes")
		}
		if err != nil {
			return stunnel.Doing("reading from the client", err)
		}
		switch m := parse(line); m.verb {
		case "STARTTLS":
			return s.startTLS()
		case "QUIT":
			return s.refuse("said QUIT before TLS")
		default:
			err = s.answer(m)
		}
		if err != nil {
			return err
		}
	}
	return s.refuse("sent 64 lines, and none was STARTTLS")
}

func (s *server) startTLS() error {
	if err := s.reply("670", ":STARTTLS successful, go ahead with TLS handshake"); err != nil {
		return err
	}
	if err := stunnel.Accepted.StartTLS(); err != nil {
		return stunnel.Doing("starting TLS with the client", err)
	}
	if err := stunnel.Connect(); err != nil {
		_ = say(stunnel.Accepted, "ERROR :Closing link: the server cannot be reached")
		return stunnel.Doing("connecting", err)
	}
	return nil
}

// answer answers what does not change anything.
func (s *server) answer(m message) error {
	switch m.verb {
	case "", "PONG", "NOTICE": // never answered (RFC 1459 section 4.4.2)
		return nil
	case "CAP":
		return s.capability(m)
	case "PING":
		if len(m.params) == 0 {
			return s.reply("409", ":No origin specified")
		}
		return say(stunnel.Accepted, ":"+s.name+" PONG "+s.name+" :"+cut(m.params[0]))
	case "PASS", "NICK", "USER", "JOIN", "AUTHENTICATE", "OPER", "PRIVMSG":
		return s.reply("451", ":"+m.verb+" is refused before TLS: send STARTTLS first")
	}
	return s.reply("421", word(m.verb)+" :Unknown command before TLS: send STARTTLS first")
}

// capability answers CAP (IRCv3 capability negotiation): tls is all there is, and nobody
// can enable it by CAP REQ.
func (s *server) capability(m message) error {
	to := ":" + s.name + " CAP * "
	switch sub := strings.ToUpper(m.param(0)); sub {
	case "LS":
		return say(stunnel.Accepted, to+"LS :tls")
	case "LIST":
		return say(stunnel.Accepted, to+"LIST :")
	case "REQ":
		return say(stunnel.Accepted, to+"NAK :"+cut(m.param(1)))
	case "END":
		return nil
	default:
		return s.reply("410", word(sub)+" :Invalid CAP command")
	}
}

// reply sends a numeric to a client that has no name yet.
func (s *server) reply(number, text string) error {
	return say(stunnel.Accepted, ":"+s.name+" "+number+" * "+text)
}

// refuse ends the connection, and the client hears why.
func (s *server) refuse(reason string) error {
	_ = say(stunnel.Accepted, "ERROR :Closing link: client "+reason) // it may be gone
	return stunnel.Refuse(stunnel.ClassPeer, "client "+reason)
}

// maxEcho is how much of a client's words is sent back, so that the answer is no longer
// than a line may be.
const maxEcho = 256

func cut(text string) string { return text[:min(len(text), maxEcho)] }

// word is a client's word, for a place where only a word can stand.
func word(w string) string {
	if w == "" || w[0] == ':' {
		return "*"
	}
	return cut(w)
}
