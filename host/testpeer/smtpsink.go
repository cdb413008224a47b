package testpeer

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// A Mailbox is an SMTP server (RFC 5321) that keeps what it is sent.
type Mailbox struct {
	Addr string

	tls      *tls.Config // nil: no STARTTLS
	user     string      // empty: no AUTH
	password string
	mu       sync.Mutex
	mails    []Mail
}

// A Mail is one message and how it came.
type Mail struct {
	From, To string
	Data     string // with LF, without the final dot
	TLS      bool   // after STARTTLS
	User     string // who logged in; empty: nobody
	Commands []string
}

// Sink runs an SMTP server without TLS, as it stands behind a TLS service.
func Sink(t testing.TB) *Mailbox {
	t.Helper()
	m := &Mailbox{}
	m.Addr = Serve(t, m.serve)
	return m
}

// SecureSink runs an SMTP server that takes mail after STARTTLS only, from one
// user, who may log in by AUTH PLAIN and AUTH LOGIN (RFC 4954).
func SecureSink(t testing.TB, cert tls.Certificate, user, password string) *Mailbox {
	t.Helper()
	m := &Mailbox{tls: &tls.Config{Certificates: []tls.Certificate{cert}}, user: user, password: password}
	m.Addr = Serve(t, m.serve)
	return m
}

// Mails gives what has come. A mail is there before its sender is told so.
func (m *Mailbox) Mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail(nil), m.mails...)
}

// A session is one connection to a Mailbox.
type session struct {
	m    *Mailbox
	conn net.Conn
	r    *bufio.Reader
	mail Mail
}

func (m *Mailbox) serve(c net.Conn) {
	s := &session{m: m, conn: c, r: bufio.NewReader(c)}
	defer func() { s.conn.Close() }() // with close_notify, inside TLS
	s.say("220-sink.example ESMTP", "220 second line")
	for {
		line, err := s.line()
		if err != nil {
			return
		}
		s.mail.Commands = append(s.mail.Commands, line)
		verb, rest, _ := strings.Cut(line, " ")
		switch verb = strings.ToUpper(verb); {
		case verb == "EHLO":
			s.hello()
		case verb == "STARTTLS" && m.tls != nil && !s.mail.TLS:
			s.say("220 2.0.0 go ahead")
			s.conn = tls.Server(c, m.tls)
			s.r = bufio.NewReader(s.conn)
			s.mail.TLS = true
		case m.tls != nil && !s.mail.TLS && verb != "QUIT":
			s.say("530 5.7.0 must issue STARTTLS first")
		case verb == "AUTH" && m.user != "":
			s.auth(rest)
		case verb == "MAIL" && m.user != "" && s.mail.User == "":
			s.say("530 5.7.0 authentication required")
		case verb == "MAIL":
			s.mail.From = address(rest)
			s.say("250 2.1.0 ok")
		case verb == "RCPT":
			s.mail.To = address(rest)
			s.say("250 2.1.5 ok")
		case verb == "DATA":
			s.say("354 end with a dot")
			if s.data() != nil {
				return
			}
			s.say("250 2.0.0 kept")
		case verb == "QUIT":
			s.say("221 2.0.0 bye")
			return
		case verb == "RSET" || verb == "NOOP":
			s.say("250 2.0.0 ok")
		default:
			s.say("500 5.5.1 what is " + verb)
		}
	}
}

func (s *session) say(lines ...string) {
	io.WriteString(s.conn, strings.Join(lines, "\r\n")+"\r\n")
}

func (s *session) line() (string, error) {
	line, err := s.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func (s *session) hello() {
	lines := []string{"250-sink.example", "250-PIPELINING"}
	if s.m.tls != nil && !s.mail.TLS {
		lines = append(lines, "250-STARTTLS")
	}
	if s.m.user != "" && s.mail.TLS {
		lines = append(lines, "250-AUTH PLAIN LOGIN")
	}
	s.say(append(lines, "250 8BITMIME")...)
}

// auth takes PLAIN's initial response and LOGIN's two answers.
func (s *session) auth(how string) {
	mechanism, initial, _ := strings.Cut(how, " ")
	var user, password string
	switch mechanism {
	case "PLAIN":
		text, _ := base64.StdEncoding.DecodeString(initial)
		if f := strings.Split(string(text), "\x00"); len(f) == 3 && f[0] == "" {
			user, password = f[1], f[2]
		}
	case "LOGIN":
		user, password = s.ask("Username:"), s.ask("Password:")
	}
	if user != s.m.user || password != s.m.password {
		s.say("535 5.7.8 bad credentials")
		return
	}
	s.mail.User = user
	s.say("235 2.7.0 welcome")
}

func (s *session) ask(what string) string {
	s.say("334 " + base64.StdEncoding.EncodeToString([]byte(what)))
	line, _ := s.line()
	text, _ := base64.StdEncoding.DecodeString(line)
	return string(text)
}

func (s *session) data() error {
	var all strings.Builder
	for {
		line, err := s.line()
		if err != nil {
			return err
		}
		if line == "." {
			break
		}
		fmt.Fprintln(&all, strings.TrimPrefix(line, "."))
	}
	s.mail.Data = all.String()
	s.m.mu.Lock()
	s.m.mails = append(s.m.mails, s.mail)
	s.m.mu.Unlock()
	return nil
}

// address takes what is between the angle brackets.
func address(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
