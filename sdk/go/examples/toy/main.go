// The guest of protocol = toy: HELLO, READY?, STARTTLS, GO, then TLS.
package main

import stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"

// maxLine is the longest line in bytes, with room for any word.
const maxLine = 64

// maxReady is the longest answer to HELLO in bytes.
const maxReady = 255

// negotiate is called once for each connection, in an instance of its own; 0 hands over
// to the relay.
//
//go:wasmexport negotiate
func negotiate() int32 { return stunnel.Status(run()) }

// configure is called once when the configuration is read: a refusal here refuses it.
//
//go:wasmexport configure
func configure() int32 {
	_, err := ready()
	return stunnel.Status(err)
}

func main() {}

func run() error {
	ready, err := ready()
	if err != nil {
		return err
	}
	if stunnel.IsClient() {
		return client(ready)
	}
	return server(ready)
}

// ready is the answer to HELLO.
func ready() (string, error) {
	word, ok := stunnel.Option("ready")
	if !ok {
		return "READY?", nil
	}
	if len(word) > maxReady {
		return "", stunnel.Refuse(stunnel.ClassConfig, "guestOption ready is longer than 255 bytes")
	}
	return word, nil
}

// client mode: the target speaks the protocol, and then TLS.
func client(ready string) error {
	if err := connect(); err != nil {
		return err
	}
	if err := say(stunnel.Outgoing, "HELLO"); err != nil {
		return err
	}
	if err := expect(stunnel.Outgoing, ready); err != nil {
		return err
	}
	if err := say(stunnel.Outgoing, "STARTTLS"); err != nil {
		return err
	}
	if err := expect(stunnel.Outgoing, "GO"); err != nil {
		return err
	}
	return startTLS(stunnel.Outgoing)
}

// server mode: the accepted client does. Nobody reaches the target without TLS.
func server(ready string) error {
	if err := expect(stunnel.Accepted, "HELLO"); err != nil {
		return err
	}
	if err := say(stunnel.Accepted, ready); err != nil {
		return err
	}
	if err := expect(stunnel.Accepted, "STARTTLS"); err != nil {
		return err
	}
	if err := say(stunnel.Accepted, "GO"); err != nil {
		return err
	}
	if err := startTLS(stunnel.Accepted); err != nil {
		return err
	}
	return connect()
}

func connect() error { return stunnel.Doing("connecting", stunnel.Connect()) }

func say(side stunnel.Side, word string) error {
	_, err := side.WriteString(word + "\r\n")
	return stunnel.Doing("writing", err)
}

func expect(side stunnel.Side, want string) error {
	line, err := side.ReadLine(make([]byte, maxLine)) // a longer line is stunnel.TooLong
	if err != nil {
		return stunnel.Doing("reading", err)
	}
	got := stunnel.Chomp(line)
	if string(got) == want {
		return nil
	}
	_, _ = side.WriteString("ERROR\r\n") // the peer may be gone; the refusal is what counts
	return stunnel.Refuse(stunnel.ClassPeer, "expected "+stunnel.Quote(want)+", got "+stunnel.Quote(got))
}

func startTLS(side stunnel.Side) error { return stunnel.Doing("starting TLS", side.StartTLS()) }
