package session

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// sessiond runs a server that answers each packet by some others until the test ends.
func sessiond(t testing.TB, answers func(Packet) [][]byte) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			p, err := ParsePacket(bytes.Clone(buf[:n]))
			if err != nil {
				t.Error(err)
				continue
			}
			for _, a := range answers(p) {
				c.WriteTo(a, from)
			}
		}
	}()
	t.Cleanup(func() {
		c.Close()
		<-ended
	})
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// A shelf is what an honest sessiond keeps. Its goroutine alone touches it.
type shelf map[[idSize]byte][]byte

func (s shelf) answer(p Packet) [][]byte {
	switch p.Type {
	case PacketNew:
		s[p.ID] = p.Value
	case PacketGet:
		a := Packet{Type: PacketError, ID: p.ID}
		if v := s[p.ID]; v != nil {
			a.Type, a.Value = PacketOK, v
		}
		return [][]byte{a.Encode()}
	}
	return nil
}

// held asks for what sessiond has of a session.
func held(t testing.TB, at netip.AddrPort, id []byte) (value []byte) {
	t.Helper()
	err := newExchange().ask(at, [idSize]byte(id), 0, func(v []byte) bool {
		value = bytes.Clone(v)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// sharing is a process with sessiond and secrets.
func sharing(at netip.AddrPort, s *Secrets, name string) *Server {
	conf := settings(name)
	conf.Stateful, conf.Sessiond, conf.Secrets = true, at, s
	return NewStore().Begin().Server(conf)
}

func TestSessiond(t *testing.T) {
	for _, version := range both {
		r := newRig(t, version)
		at := sessiond(t, shelf{}.answer)
		r.expect(sharing(at, secrets(1), "x"), false, "at first")
		r.expect(sharing(at, secrets(1), "x"), true, "in another process")
		r.expect(sharing(at, secrets(1), "y"), false, "at another service")
		r.expect(sharing(at, secrets(2), "y"), false, "with other secrets")
		r.expect(sharing(at, nil, "y"), false, "without secrets")
	}
}

// Whoever answers in sessiond's place gets nobody in: neither by what it makes up, nor by
// another session's state.
func TestForgedAnswers(t *testing.T) {
	for _, version := range both {
		kept := shelf{}
		var forge atomic.Pointer[[][]byte] // the answers to whoever asks; nil: the true one
		at := sessiond(t, func(p Packet) [][]byte {
			if f := forge.Load(); f != nil && p.Type == PacketGet {
				return *f
			}
			return kept.answer(p)
		})
		r := newRig(t, version)
		r.expect(sharing(at, secrets(1), "x"), false, "at first")
		mine := r.client.ClientSessionCache.(*lastSession).last
		id := [idSize]byte(r.client.ClientSessionCache.(*lastSession).ticket())
		r.client.ClientSessionCache = &lastSession{}
		r.expect(sharing(at, secrets(1), "x"), false, "another client")
		other := [idSize]byte(r.client.ClientSessionCache.(*lastSession).ticket())
		good := Packet{Type: PacketOK, ID: id, Value: held(t, at, id[:])}
		others := held(t, at, other[:])
		bad := func(edit func(p *Packet)) []byte {
			p := good
			p.Value = bytes.Clone(p.Value)
			edit(&p)
			return p.Encode()
		}
		for what, f := range map[string]struct {
			answers [][]byte
			want    bool
		}{
			"a changed value":           {[][]byte{bad(func(p *Packet) { p.Value[60] ^= 1 })}, false},
			"another's value":           {[][]byte{bad(func(p *Packet) { p.Value = others })}, false},
			"another's id":              {[][]byte{bad(func(p *Packet) { p.ID = other })}, false},
			"no value":                  {[][]byte{bad(func(p *Packet) { p.Value = nil })}, false},
			"an unknown type":           {[][]byte{bad(func(p *Packet) { p.Type = 7 })}, false},
			"too short":                 {[][]byte{good.Encode()[:35]}, false},
			"too long":                  {[][]byte{append(good.Encode(), make([]byte, maxPacket)...)}, false},
			"none":                      {nil, false},
			"a forged one, then a good": {[][]byte{bad(func(p *Packet) { p.Value[60] ^= 1 }), good.Encode()}, true},
			"a flood":                   {append(make([][]byte, maxAnswers), good.Encode()), false},
		} {
			forge.Store(&f.answers)
			r.client.ClientSessionCache = &lastSession{last: mine}
			r.expect(sharing(at, secrets(1), "x"), f.want, what)
		}
	}
}

// Ids that no process of the secrets made, and more than one id of a client, cost no
// packets: they would be a client's to send through the server.
func TestClientsMakeNoPackets(t *testing.T) {
	var asked atomic.Int64
	at := sessiond(t, func(p Packet) [][]byte {
		if p.Type == PacketGet {
			asked.Add(1)
		}
		return [][]byte{(&Packet{Type: PacketError, ID: p.ID}).Encode()}
	})
	v := sharing(at, secrets(1), "x")
	h := v.Handshake(nil)
	for range 3 {
		h.unwrap(make([]byte, idSize), tls.ConnectionState{})
		h.unwrap(make([]byte, idSize+1), tls.ConnectionState{})
	}
	for range 3 {
		id := v.fixed[0].newID()
		h.unwrap(id[:], tls.ConnectionState{})
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("sessiond was asked %d times, not once", n)
	}
}

// A sessiond that is silent holds few handshakes, and none that come after them.
func TestSilentSessiond(t *testing.T) {
	come := make(chan struct{}, maxAsking)
	at := sessiond(t, func(Packet) [][]byte {
		come <- struct{}{}
		return nil
	})
	e := newExchange()
	ended := make(chan error, maxAsking)
	for range maxAsking {
		e.slots <- struct{}{}
	}
	if err := e.ask(at, [idSize]byte{}, 0, nil); err == nil || len(come) > 0 {
		t.Errorf("one more than may wait: %v", err)
	}
	<-e.slots
	go func() { ended <- e.ask(at, [idSize]byte{}, 0, nil) }()
	<-come
	if err := <-ended; err == nil {
		t.Error("silence is an answer")
	}
	if len(e.slots) != maxAsking-1 {
		t.Error("the place is not given back")
	}
}

// What a client's certificates make too long stays in this process.
func TestLongSessionsStay(t *testing.T) {
	r := newRig(t, tls.VersionTLS13)
	r.client.Certificates = []tls.Certificate{certificate(t, maxValue)}
	kept := shelf{}
	at := sessiond(t, kept.answer)
	v := sharing(at, secrets(1), "x")
	r.expect(v, false, "at first")
	ours := *r.client.ClientSessionCache.(*lastSession)
	r.expect(v, true, "in the process")
	r.client.ClientSessionCache = &ours
	r.expect(sharing(at, secrets(1), "x"), false, "in another")
	if held(t, at, ours.ticket()) != nil {
		t.Error("the session went out")
	}
}

func TestPackets(t *testing.T) {
	p := Packet{Type: PacketNew, Timeout: 300 * time.Second, Value: []byte("value")}
	copy(p.ID[:], "an id")
	want := append([]byte{1, 0, 0x01, 0x2C}, p.ID[:]...)
	if got := p.Encode(); !bytes.Equal(got, append(want, "value"...)) {
		t.Errorf("%x", got)
	}
	p.Timeout = 1 << 20 * time.Second
	if got, err := ParsePacket(p.Encode()); err != nil || got.Timeout != maxPacketTime {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzPacket(f *testing.F) {
	f.Add((&Packet{Type: PacketOK, Timeout: time.Minute, Value: []byte{1}}).Encode())
	f.Add(make([]byte, packetHeader))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePacket(b)
		if err != nil || p.Timeout > maxPacketTime {
			return
		}
		if got := p.Encode(); !bytes.Equal(got, b) {
			t.Errorf("%x comes back as %x", b, got)
		}
	})
}
