// The guest of protocol = irc: the STARTTLS of IRC (IRCv3 "tls"), which a
// client says before it registers.
package main

import stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"

const (
	maxLine    = 512 // bytes with CR LF (RFC 1459 section 2.3)
	maxName    = 63  // bytes of a server's name (RFC 2812 section 1.1)
	maxPending = 64  // lines of a peer before TLS; who says more does not mean to begin it
)

// negotiate is called once for each connection; 0 hands over to the relay.
//
//go:wasmexport negotiate
func negotiate() int32 { return stunnel.Status(run()) }

// configure is called once when the configuration is read.
//
//go:wasmexport configure
func configure() int32 {
	_, err := serverName()
	return stunnel.Status(err)
}

func main() {}

func run() error {
	if stunnel.IsClient() {
		return client()
	}
	name, err := serverName()
	if err != nil {
		return err
	}
	return (&server{name: name}).serve()
}

// serverName is who answers in server mode, before anybody has reached the server.
func serverName() (string, error) {
	name, ok := stunnel.Option("name")
	if !ok {
		return "irc", nil
	}
	if name == "" || len(name) > maxName {
		return "", stunnel.Refuse(stunnel.ClassConfig, "guestOption name must have 1 to 63 bytes")
	}
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return "", stunnel.Refuse(stunnel.ClassConfig, "guestOption name: "+stunnel.Quote(name)+" is no host name")
		}
	}
	return name, nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-'
}

// say writes a line.
func say(side stunnel.Side, line string) error {
	_, err := side.WriteString(line + "\r\n")
	return stunnel.Doing("writing to the "+peerOf(side), err)
}

// readLine reads a line without its end.
func readLine(side stunnel.Side) (string, error) {
	line, err := side.ReadLine(make([]byte, maxLine))
	return string(stunnel.Chomp(line)), err
}

func peerOf(side stunnel.Side) string {
	if side == stunnel.Accepted {
		return "client"
	}
	return "server"
}
