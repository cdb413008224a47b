package main

import (
	"strings"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

// client asks the target for TLS.
func client() error {
	if err := stunnel.Connect(); err != nil {
		return stunnel.Doing("connecting", err)
	}
	suspended, err := offered()
	if err != nil {
		return err
	}
	if err := say(stunnel.Outgoing, "STARTTLS"); err != nil {
		return err
	}
	line, m, err := hear()
	if err != nil {
		return err
	}
	switch m.verb {
	case "670":
	case "691":
		return stunnel.Refuse(stunnel.ClassPeer, "server refused STARTTLS: "+stunnel.Quote(m.last()))
	default:
		return stunnel.Refuse(stunnel.ClassPeer, "expected 670 from the server, got "+stunnel.Quote(line))
	}
	if err := stunnel.Outgoing.StartTLS(); err != nil {
		return stunnel.Doing("starting TLS with the server", err)
	}
	if !suspended {
		return nil
	}
	// CAP LS suspends the registration, and a client that never says CAP itself would
	// wait for ever.
	return say(stunnel.Outgoing, "CAP END")
}

// offered asks what the server can do, and refuses one that cannot do TLS. Old servers,
// which do not know CAP, may know STARTTLS; those that do wait for CAP END from then on.
func offered() (suspended bool, err error) {
	if err := say(stunnel.Outgoing, "CAP LS"); err != nil {
		return false, err
	}
	tls := false
	for range maxPending {
		line, m, err := hear()
		if err != nil {
			return false, err
		}
		switch {
		case m.verb == "421", m.verb == "451":
			return false, nil
		case m.verb != "CAP" || !strings.EqualFold(m.param(1), "LS"):
			return false, stunnel.Refuse(stunnel.ClassPeer, "expected CAP LS from the server, got "+stunnel.Quote(line))
		}
		for _, name := range strings.Fields(m.last()) {
			name, _, _ = strings.Cut(name, "=")
			tls = tls || name == "tls"
		}
		if m.param(2) == "*" { // more lines follow
			continue
		}
		if !tls {
			_ = say(stunnel.Outgoing, "QUIT")
			return false, stunnel.Refuse(stunnel.ClassPeer, "server does not offer tls: "+stunnel.Quote(line))
		}
		return true, nil
	}
	return false, stunnel.Refuse(stunnel.ClassPeer, "server's list of capabilities does not end")
}

// hear is the next answer of the server, past what it says of its own accord.
func hear() (string, message, error) {
	for range maxPending {
		line, err := readLine(stunnel.Outgoing)
		if err != nil {
			return "", message{}, stunnel.Doing("reading from the server", err)
		}
		switch m := parse(line); m.verb {
		case "NOTICE", "020", "": // "Looking up your hostname", "Please wait"
		case "PING":
			if err := say(stunnel.Outgoing, "PONG :"+m.last()); err != nil {
				return "", message{}, err
			}
		case "ERROR":
			return "", message{}, stunnel.Refuse(stunnel.ClassPeer, "server closed the connection: "+stunnel.Quote(m.last()))
		default:
			return line, m, nil
		}
	}
	return "", message{}, stunnel.Refuse(stunnel.ClassPeer, "server sent 64 lines that answer nothing")
}
