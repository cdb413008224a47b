//go:build linux

package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A peer is a connection that a script holds open.
type peer struct {
	net.Conn
	in *bufio.Reader
}

// peerCommands are the commands about connections; ADDR is host:port, and every
// line is expected back:
//
//	[!] talk ADDR TEXT            TLS: connect, send a line, get it back, close
//	[!] plain ADDR TEXT           the same without TLS
//	reachable ADDR TEXT           talk, again and again until it succeeds
//	unreachable ADDR              wait until connections are refused
//	silent ADDR                   connect, say nothing, and wait until the daemon ends it
//	open NAME ADDR                TLS: connect, again and again until it succeeds, and
//	                              keep the connection
//	say NAME TEXT                 send a line over it and get it back
//	cut NAME                      wait until the daemon ends it
//	hangup NAME                   end it
//	listen HOST:PORT              hold an address, so that nobody can bind it
func peerCommands() map[string]command {
	return map[string]command{
		"talk":  exchange(dialTLS),
		"plain": exchange(dialPlain),
		"reachable": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			until(ts, "an answer of "+args[0], func() bool {
				p, err := dialTLS(args[0])
				if err != nil {
					return false
				}
				defer p.Close()
				return p.echo(args[1]) == nil
			})
		},
		"unreachable": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			until(ts, "refusal by "+args[0], func() bool {
				p, err := dialPlain(args[0])
				if err != nil {
					return true
				}
				p.Close()
				return false
			})
		},
		"silent": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			p, err := dialPlain(args[0])
			ts.Check(err)
			defer p.Close()
			ts.Check(p.ends())
		},
		"open": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			until(ts, "a connection to "+args[1], func() bool {
				p, err := dialTLS(args[1])
				if err == nil {
					state(ts).conns[args[0]] = p
				}
				return err == nil
			})
		},
		"say": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			ts.Check(held(ts, args[0]).echo(args[1]))
		},
		"cut": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			ts.Check(held(ts, args[0]).ends())
		},
		"hangup": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			held(ts, args[0]).Close()
		},
		"listen": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			ln, err := net.Listen("tcp", args[0])
			ts.Check(err)
			ts.Defer(func() { ln.Close() })
		},
	}
}

func held(ts *testscript.TestScript, name string) *peer {
	p := state(ts).conns[name]
	if p == nil {
		ts.Fatalf("no connection %s was opened", name)
	}
	return p
}

func dialTLS(addr string) (*peer, error) {
	d := &net.Dialer{Timeout: testpeer.Patience}
	// The scripts are about the process; who is at the other end is tested elsewhere.
	c, err := tls.DialWithDialer(d, "tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	return &peer{c, bufio.NewReader(c)}, nil
}

func dialPlain(addr string) (*peer, error) {
	c, err := net.DialTimeout("tcp", addr, testpeer.Patience)
	if err != nil {
		return nil, err
	}
	return &peer{c, bufio.NewReader(c)}, nil
}

// ends waits for the other side's end, whatever comes before it.
func (p *peer) ends() error {
	p.SetReadDeadline(time.Now().Add(testpeer.Patience))
	_, err := io.Copy(io.Discard, p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

func (p *peer) echo(text string) error {
	p.SetDeadline(time.Now().Add(testpeer.Patience))
	if _, err := io.WriteString(p, text+"\n"); err != nil {
		return err
	}
	line, err := p.in.ReadString('\n')
	if err == nil && line != text+"\n" {
		err = fmt.Errorf("got %q back for %q", line, text)
	}
	return err
}

func exchange(dial func(addr string) (*peer, error)) command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		need(ts, false, args, 2)
		p, err := dial(args[0])
		if err == nil {
			err = p.echo(args[1])
			p.Close()
		}
		switch {
		case neg && err == nil:
			ts.Fatalf("%s has answered", args[0])
		case !neg:
			ts.Check(err)
		}
	}
}

// indiscreet is a mail server that refuses every login with what it was sent.
func indiscreet(c net.Conn) {
	in := bufio.NewReader(c)
	reply := "220 mx.example.org ESMTP\r\n"
	for prompts := 0; ; {
		if _, err := io.WriteString(c, reply); err != nil {
			return
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case prompts > 1:
			prompts--
			reply = "334 UGFzc3dvcmQ6\r\n" // Password:
		case line == "AUTH LOGIN":
			prompts = 2
			reply = "334 VXNlcm5hbWU6\r\n" // Username:
		case prompts > 0, strings.HasPrefix(line, "AUTH PLAIN "):
			prompts = 0
			reply = "535 5.7.8 not with " + line + "\r\n"
		case strings.HasPrefix(line, "EHLO "):
			reply = "250-mx.example.org\r\n250 AUTH PLAIN LOGIN\r\n"
		default:
			reply = "250 ok\r\n"
		}
	}
}
