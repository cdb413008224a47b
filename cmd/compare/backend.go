package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// The first byte of a connection says what the backend does with it.
const (
	askEcho = 'E' // send everything back, this byte too
	askDown = 'D' // send until the connection ends
	askUp   = 'U' // read until the connection ends
	askTLS  = 'I' // say as a line what TLS negotiated on this side
)

// Sizes of the backend's and the clients' buffers, in bytes.
const (
	smallBuffer = 2 << 10
	bulkBuffer  = 256 << 10
)

// backends are the addresses of the backend process.
type backends struct {
	Plain   string            // no TLS
	Greets  map[string]string // no TLS, for a protocol whose server speaks first
	Tickets string            // TLS that resumes
	Full    string            // TLS that does not resume
}

// connect is the one that a job's proxy connects to.
func (b *backends) connect(j *job) string {
	switch {
	case protocols[j.protocol].greeting != "":
		return b.Greets[j.protocol]
	case j.role == roleClient && j.resume:
		return b.Tickets
	case j.role == roleClient:
		return b.Full
	}
	return b.Plain
}

// runBackend serves until standard input ends, and says its addresses in JSON once
// it accepts.
func runBackend(pem string) error {
	pair, err := tls.LoadX509KeyPair(pem, pem)
	if err != nil {
		return err
	}
	tickets := &tls.Config{
		Certificates:                []tls.Certificate{pair},
		CurvePreferences:            []tls.CurveID{tls.X25519},
		MinVersion:                  tls.VersionTLS12,
		DynamicRecordSizingDisabled: true,
	}
	full := tickets.Clone()
	full.SessionTicketsDisabled = true

	bulk := &sync.Pool{New: func() any { return new([bulkBuffer]byte) }}
	b := backends{Greets: map[string]string{}}
	for _, l := range []struct {
		address *string
		conf    *tls.Config
	}{
		{&b.Plain, nil},
		{&b.Tickets, tickets},
		{&b.Full, full},
	} {
		if *l.address, err = listenAndAnswer(l.conf, "", bulk); err != nil {
			return err
		}
	}
	for name, p := range protocols {
		if p.greeting == "" {
			continue
		}
		if b.Greets[name], err = listenAndAnswer(nil, p.greeting, bulk); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(b); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// listenAndAnswer serves on a port of its own until the process ends.
func listenAndAnswer(conf *tls.Config, greeting string, bulk *sync.Pool) (address string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				fmt.Fprintln(os.Stderr, "backend:", err)
				return
			}
			if conf != nil {
				c = tls.Server(c, conf)
			}
			go answer(c, greeting, bulk)
		}
	}()
	return ln.Addr().String(), nil
}

// answer serves a connection until it fails, which is how all of them end.
func answer(c net.Conn, greeting string, bulk *sync.Pool) {
	defer c.Close()
	if _, err := io.WriteString(c, greeting); err != nil {
		return
	}
	buf := make([]byte, smallBuffer)
	n, err := c.Read(buf)
	if err != nil {
		return
	}
	switch buf[0] {
	case askDown:
		b := bulk.Get().(*[bulkBuffer]byte)
		defer bulk.Put(b)
		for err == nil {
			_, err = c.Write(b[:])
		}
	case askUp:
		b := bulk.Get().(*[bulkBuffer]byte)
		defer bulk.Put(b)
		for err == nil {
			_, err = c.Read(b[:])
		}
	case askTLS:
		said := "no TLS"
		if t, ok := c.(*tls.Conn); ok {
			said = negotiated(t.ConnectionState())
		}
		if _, err := io.WriteString(c, said+"\n"); err == nil {
			_, _ = c.Read(buf) // until the peer has read it and hangs up
		}
	default:
		for err == nil {
			if _, err = c.Write(buf[:n]); err == nil {
				n, err = c.Read(buf)
			}
		}
	}
}

// negotiated tells what a handshake came to.
func negotiated(s tls.ConnectionState) string {
	text := fmt.Sprintf("%s %s %s", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite), s.CurveID)
	if s.DidResume {
		text += resumedMark
	}
	return text
}

// resumedMark ends negotiated's text for a resumed session.
const resumedMark = " resumed"
