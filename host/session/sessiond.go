package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// A PacketType says what a packet of sessiond is.
type PacketType byte

// The types of stunnel's cache_transfer (ctx.c). A client sends the first three.
const (
	PacketNew    PacketType = 0x00
	PacketGet    PacketType = 0x01
	PacketRemove PacketType = 0x02
	PacketError  PacketType = 0x80
	PacketOK     PacketType = 0x81
)

const (
	packetVersion = 1
	packetHeader  = 1 + 1 + 2 + idSize
	maxValue      = 512                 // bytes of a session
	maxPacketTime = 64800 * time.Second // stunnel's limit of the 16-bit timeout, 18 hours
	maxPacket     = packetHeader + maxValue
)

// A Packet is a datagram to or from sessiond: version, type, timeout in seconds as 16
// bits in network order, a session's id, and up to 512 bytes of the session.
type Packet struct {
	Type    PacketType
	Timeout time.Duration // whole seconds, 64800 at most
	ID      [idSize]byte
	Value   []byte
}

// Encode gives the datagram.
func (p *Packet) Encode() []byte {
	b := make([]byte, 0, packetHeader+len(p.Value))
	b = append(b, packetVersion, byte(p.Type))
	b = binary.BigEndian.AppendUint16(b, uint16(min(p.Timeout, maxPacketTime)/time.Second))
	b = append(b, p.ID[:]...)
	return append(b, p.Value...)
}

// ParsePacket reads a datagram. The value is a part of it.
func ParsePacket(b []byte) (p Packet, err error) {
	switch {
	case len(b) < packetHeader || len(b) > maxPacket:
		return p, fmt.Errorf("packet of %d bytes, not %d to %d", len(b), packetHeader, maxPacket)
	case b[0] != packetVersion:
		return p, fmt.Errorf("packet of version %d, not %d", b[0], packetVersion)
	}
	p.Type = PacketType(b[1])
	p.Timeout = time.Duration(binary.BigEndian.Uint16(b[2:])) * time.Second
	p.ID = [idSize]byte(b[4:])
	p.Value = b[packetHeader:]
	return p, nil
}

const (
	// answerTime is how long a handshake waits for sessiond. stunnel's 200 us are less
	// than a round trip in most networks, and a whole handshake with a distant client
	// takes longer than this.
	answerTime = 200 * time.Millisecond

	// maxAsking is how many handshakes wait for sessiond at once. More do not wait at
	// all: while sessiond is silent, each holds a socket.
	maxAsking = 64

	// maxAnswers is how many datagrams are looked at for one answer. Whoever floods the
	// port with forged ones costs the handshake its short cut, and little time.
	maxAnswers = 16
)

// An exchange talks to sessiond.
type exchange struct {
	slots chan struct{}
}

func newExchange() exchange { return exchange{make(chan struct{}, maxAsking)} }

// connect opens a socket of its own for each packet: its port is random, which an
// attacker who cannot listen has to guess, and the kernel drops what other addresses send.
func connect(to netip.AddrPort) (*net.UDPConn, error) {
	return net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
}

// give sends a session. Nothing is waited for.
func (e exchange) give(to netip.AddrPort, id [idSize]byte, timeout time.Duration, value []byte) error {
	c, err := connect(to)
	if err != nil {
		return err
	}
	defer c.Close()
	p := Packet{Type: PacketNew, Timeout: timeout, ID: id, Value: value}
	_, err = c.Write(p.Encode())
	return err
}

// ask fetches a session and hands answers to accept until it takes one. It is no error
// that sessiond has none.
func (e exchange) ask(to netip.AddrPort, id [idSize]byte, timeout time.Duration, accept func(value []byte) bool) error {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	default:
		return errors.New("too many handshakes wait for an answer")
	}
	c, err := connect(to)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(answerTime))
	p := Packet{Type: PacketGet, Timeout: timeout, ID: id}
	if _, err := c.Write(p.Encode()); err != nil {
		return err
	}
	buf := make([]byte, maxPacket+1)
	for range maxAnswers {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		got, err := ParsePacket(buf[:n])
		switch {
		case err != nil || got.ID != id:
		case got.Type == PacketError:
			return nil
		case got.Type == PacketOK && accept(got.Value):
			return nil
		}
	}
	return errors.New("forged answers")
}
