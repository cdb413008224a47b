package relay

import (
	"net"
	"strings"
	"testing"
	"time"
)

// panics is a connection whose reads panic, as a fault of crypto/tls would.
type panics struct{ net.Conn }

func (panics) Read([]byte) (int, error) { panic("out of range") }

// TestPanicEndsTheRelayAlone checks that both directions end, and that the result
// says where the fault is.
func TestPanicEndsTheRelayAlone(t *testing.T) {
	plain, peer := net.Pipe()
	defer peer.Close()
	under, other := net.Pipe()
	defer other.Close()
	r := &Relay{
		Under:    NewSocket(panics{under}),
		Plain:    NewSocket(plain),
		Options:  Options{Idle: time.Hour, Close: time.Hour},
		Counters: new(Counters),
	}
	res := r.Run()
	if !res.Err() || !strings.Contains(res.Panic, "out of range") || !strings.Contains(res.Panic, "rescue_test.go") {
		t.Errorf("result is %+v", res)
	}
}
