//go:build linux

package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
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
//	open NAME ADDR                TLS: connect and keep the connection
//	say NAME TEXT                 send a line over it and get it back
//	cut NAME                      wait until the daemon ends it
//	hangup NAME                   end it
//	listen HOST:PORT              hold an address, so that nobody can bind it
func peerCommands() map[string]command {
	return map[string]command{
		"talk":  exchange(dialTLS),
		"plain": exchange(dialPlain),
		"open": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			p, err := dialTLS(args[1])
			ts.Check(err)
			state(ts).conns[args[0]] = p
		},
		"say": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 2)
			ts.Check(held(ts, args[0]).echo(args[1]))
		},
		"cut": func(ts *testscript.TestScript, neg bool, args []string) {
			need(ts, neg, args, 1)
			p := held(ts, args[0])
			p.SetReadDeadline(time.Now().Add(testpeer.Patience))
			_, err := io.Copy(io.Discard, p)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				ts.Fatalf("%s is still open", args[0])
			}
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
