package psk

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
	"github.com/stunnel-wasm/stunnel-wasm/host/relay"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestHelloRequestUnderARelay has a server ask for a renegotiation right behind its data. A
// relay that waited for the handshake that never comes would keep the data to itself.
func TestHelloRequestUnderARelay(t *testing.T) {
	t.Parallel()
	a, b := testpeer.Pair(t)
	under := relay.NewSocket(a)
	under.Frame()
	client := Client(under, config(t, only12))
	shook := make(chan error, 1)
	go func() { shook <- client.Handshake() }()
	server, err := serve(b, config(t, nil))
	if err := errors.Join(err, <-shook); err != nil {
		t.Fatal(err)
	}
	x, plain := testpeer.Pair(t)
	r := &relay.Relay{TLS: client, Under: under, Plain: relay.NewSocket(x), Counters: &relay.Counters{}, Options: relay.Options{Idle: time.Hour, Close: time.Hour}}
	ended := make(chan relay.Result, 1)
	go func() { ended <- r.Run() }()
	for range 2 {
		err = errors.Join(server.out.Append(record.ApplicationData, []byte("data")),
			server.out.Append(record.Handshake, []byte{typeHelloRequest, 0, 0, 0}), server.out.Flush())
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		plain.SetReadDeadline(time.Now().Add(testpeer.Patience))
		if _, err := io.ReadFull(plain, got); err != nil || string(got) != "data" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if err := server.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := plain.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	plain.CloseWrite()
	if res := <-ended; res.TLS != relay.Closed {
		t.Errorf("%+v", res)
	}
}
