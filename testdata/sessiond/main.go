// Sessiond is a small server of TLS sessions for the tests: it keeps what daemons give
// it, in memory, and gives it back. It speaks the protocol of stunnel's sessiond option,
// to stunnel as well. Its one argument is the address to listen at; what it does is on
// standard error, a line for each packet.
package main

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/session"
)

// maxKept is how many sessions are kept. At more, any of them goes: this is no server
// for more than tests.
const maxKept = 10_000

type kept struct {
	value []byte
	until time.Time
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sessiond:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: sessiond ADDRESS:PORT")
	}
	c, err := net.ListenPacket("udp4", os.Args[1])
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintln(os.Stderr, "listening at", c.LocalAddr())
	sessions := map[[32]byte]kept{}
	buf := make([]byte, 1<<16)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return err
		}
		p, err := session.ParsePacket(buf[:n])
		if err != nil {
			fmt.Fprintln(os.Stderr, "refused:", err)
			continue
		}
		answer, ok := handle(sessions, p, time.Now())
		if !ok {
			continue
		}
		if _, err := c.WriteTo(answer.Encode(), from); err != nil {
			fmt.Fprintln(os.Stderr, "answering:", err)
		}
	}
}

// handle does what a packet says, and gives the answer if it takes one.
func handle(sessions map[[32]byte]kept, p session.Packet, now time.Time) (answer session.Packet, ok bool) {
	name := hex.EncodeToString(p.ID[:4])
	switch p.Type {
	case session.PacketNew:
		fmt.Fprintf(os.Stderr, "new %s for %v: %d bytes, %x\n", name, p.Timeout, len(p.Value), p.Value[:min(len(p.Value), 4)])
		for id := range sessions {
			if len(sessions) < maxKept {
				break
			}
			delete(sessions, id)
		}
		sessions[p.ID] = kept{append([]byte(nil), p.Value...), now.Add(p.Timeout)}
	case session.PacketRemove:
		fmt.Fprintln(os.Stderr, "remove", name)
		delete(sessions, p.ID)
	case session.PacketGet:
		answer = session.Packet{Type: session.PacketError, Timeout: p.Timeout, ID: p.ID}
		if s, found := sessions[p.ID]; found && now.Before(s.until) {
			answer.Type, answer.Value = session.PacketOK, s.value
		}
		fmt.Fprintf(os.Stderr, "get %s: %v\n", name, answer.Type == session.PacketOK)
		return answer, true
	}
	return answer, false
}
