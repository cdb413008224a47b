package relay

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestLinger closes a connection whose peer has sent bytes that nobody read: the
// last words arrive, and the end after them is no reset.
func TestLinger(t *testing.T) {
	t.Parallel()
	near, far := testpeer.Pair(t)
	if _, err := far.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	s := NewSocket(near)
	// The bytes must be there: an early close would have nothing to throw away.
	if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "421 bye"); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Linger(context.Background()) }()
	got, err := io.ReadAll(far)
	if string(got) != "421 bye" || err != nil {
		t.Errorf("the peer reads %q and %v", got, err)
	}
	far.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestLingerCut has a peer that never closes, and a server that stops.
func TestLingerCut(t *testing.T) {
	t.Parallel()
	near, _ := testpeer.Pair(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	NewSocket(near).Linger(ctx)
	if d := time.Since(start); d >= lingerTime {
		t.Errorf("it took %v", d)
	}
	if _, err := near.Write([]byte{0}); err == nil {
		t.Error("the connection is not closed")
	}
}
