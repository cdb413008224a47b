package testpeer

import (
	"bytes"
	"net"
	"testing"
	"time"
)

// A SlowResolver is a name server that answers once it is let: what looks up a name takes
// as long as a test wants.
type SlowResolver struct {
	Asked chan struct{} // a message for each question that waits

	t    testing.TB
	free chan struct{}
}

// NewSlowResolver serves 127.0.0.1 port 53 of a network. Every name is 127.0.0.1.
func NewSlowResolver(t testing.TB, n *Network) *SlowResolver {
	t.Helper()
	const room = 64 // far more questions than a test asks
	r := &SlowResolver{Asked: make(chan struct{}, room), t: t, free: make(chan struct{}, room)}
	var pc net.PacketConn
	var err error
	n.Inside(func() { pc, err = net.ListenPacket("udp", "127.0.0.1:53") })
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.serve(pc, ended)
	}()
	t.Cleanup(func() {
		pc.Close()
		<-ended
	})
	return r
}

func (r *SlowResolver) serve(pc net.PacketConn, ended <-chan struct{}) {
	query := make([]byte, 512)
	for {
		n, from, err := pc.ReadFrom(query)
		if err != nil {
			return
		}
		reply, address := resolved(query[:n])
		if !address {
			pc.WriteTo(reply, from)
			continue
		}
		r.Asked <- struct{}{}
		go func() {
			select {
			case <-r.free:
				pc.WriteTo(reply, from)
			case <-ended:
			}
		}()
	}
}

// Answer waits for a question and answers it.
func (r *SlowResolver) Answer() {
	r.t.Helper()
	select {
	case <-r.Asked:
		r.Release()
	case <-time.After(Patience):
		r.t.Fatal("nobody asks for a name")
	}
}

// Release answers one question that was told of by Asked.
func (r *SlowResolver) Release() { r.free <- struct{}{} }

// resolved is the reply to a query (RFC 1035 section 4.1), which says 127.0.0.1 to a
// question for an IPv4 address and has no answer to any other.
func resolved(query []byte) (reply []byte, address bool) {
	const header, typeAndClass, typeA = 12, 4, 1
	if len(query) < header {
		return nil, false
	}
	end := header + bytes.IndexByte(query[header:], 0) + 1
	if end == header || len(query) < end+typeAndClass {
		return nil, false
	}
	reply = append(reply, query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	reply = append(reply, query[header:end+typeAndClass]...)
	if query[end] != 0 || query[end+1] != typeA {
		return reply, false
	}
	reply[7] = 1
	return append(reply, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1), true
}
