package relay

import (
	"bytes"
	"io"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

func tlsRecord(kind byte, payload string) []byte {
	return append([]byte{kind, 3, 3, 0, byte(len(payload))}, payload...)
}

// TestReadWaitsInAHandshake has a peer send the records of a renegotiation: after its
// first Read waits for the next, after its last it says errAgain again.
func TestReadWaitsInAHandshake(t *testing.T) {
	peer, c := testpeer.Pair(t)
	s := NewSocket(c)
	s.Frame()
	s.nowait = true
	b := make([]byte, 64)
	read := func(want []byte) {
		t.Helper()
		if _, err := io.ReadFull(s, b[:len(want)]); err != nil || !bytes.Equal(b[:len(want)], want) {
			t.Fatalf("read %x, %v, want %x", b[:len(want)], err, want)
		}
	}
	again := func() {
		t.Helper()
		if n, err := s.Read(b); n != 0 || err != errAgain {
			t.Fatalf("read %d bytes, %v, want errAgain", n, err)
		}
	}
	again()
	for round := range 2 {
		request := tlsRecord(handshakeRecord, "request")
		peer.Write(request)
		if err := s.awaitRecord(); err != nil {
			t.Fatal(err)
		}
		read(request)

		// The peer answers what Cork holds back, and not before it has it: a Read
		// that waited without sending it would wait for ever.
		s.Cork()
		s.Write([]byte("hello"))
		flight := bytes.Join([][]byte{tlsRecord(handshakeRecord, "server hello"), tlsRecord(changeCipherSpecRecord, "\x01"), tlsRecord(handshakeRecord, "finished")}, nil)
		go func() {
			io.ReadFull(peer, make([]byte, 5))
			for i := range flight {
				peer.Write(flight[i : i+1])
			}
		}()
		read(flight)
		again()
		if err := s.Uncork(); err != nil {
			t.Fatal(err)
		}

		data := tlsRecord(applicationDataRecord, "data")
		if round == 1 {
			data = append(tlsRecord(handshakeRecord, "x"), data...) // whatever came before
		}
		peer.Write(data)
		if err := s.awaitRecord(); err != nil {
			t.Fatal(err)
		}
		read(data)
		again()
	}
}
