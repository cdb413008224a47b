package guest

import (
	"context"
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// TestTurns takes all places for guests that compute: one that does has to wait for
// one, and one that only talks has not.
func TestTurns(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		loop, short := load(t, r, "loop"), load(t, r, "refuse")
		for range cap(r.turns) {
			r.turns <- struct{}{}
		}
		ours, _ := pair(t)
		ended := make(chan error, 1)
		go func() {
			_, err := loop.Negotiate(context.Background(), &testHost{accepted: ours}, Limits{Fuel: 4 * slice})
			ended <- err
		}()
		other, _ := pair(t)
		_, err := short.Negotiate(t.Context(), &testHost{accepted: other}, Limits{})
		wantKind(t, err, KindRefusal)
		select {
		case err := <-ended:
			t.Fatalf("a guest had four slices without a place: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		<-r.turns
		wantKind(t, <-ended, KindFuel)
		if len(r.turns) != cap(r.turns)-1 {
			t.Errorf("%d of %d places are taken, want all but one", len(r.turns), cap(r.turns))
		}
	})
}

// TestWaitsHoldNoPlace has a guest that worked wait for its peer.
func TestWaitsHoldNoPlace(t *testing.T) {
	r := newRuntime(t, false)
	const large = 128 << 10
	busy := slices.Repeat([]do{{"random", []int32{0, large}}}, 4)
	h := &testHost{}
	var peer net.Conn
	h.accepted, peer = pair(t)
	h.logged = func(int, string) {
		if len(r.turns) != 1 {
			t.Errorf("%d places are taken after the work, want 1", len(r.turns))
		}
	}
	h.connect = func(context.Context) (net.Conn, error) {
		if len(r.turns) != 0 {
			t.Errorf("%d places are taken while it connects, want 0", len(r.turns))
		}
		peer.Write([]byte("x"))
		return nil, syscall.ECONNREFUSED
	}
	program := append(busy, do{"log", []int32{6, 0, 1}}, do{"connect", nil}, do{"wait", []int32{1, -1}}, do{"log", []int32{6, 0, 1}})
	if _, err := calls(t, r, h, Limits{}, "", program...); err != nil {
		t.Fatal(err)
	}
	if len(r.turns) != 0 {
		t.Errorf("%d places are taken after the end, want 0", len(r.turns))
	}
}

// TestHostCallsAreBounded has guests spend the host's time and not their own fuel.
func TestHostCallsAreBounded(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		draws := slices.Repeat([]do{{"random", []int32{0, 128 << 10}}}, 8)
		_, err := calls(t, r, &testHost{}, Limits{Fuel: 100_000}, "", draws...)
		wantError(t, err, KindFuel, prefix("caller", module(t, "caller"))+"host calls moved more than 800000 bytes in do")

		// The time is over before the first of them has drawn what it should.
		_, err = calls(t, r, &testHost{}, Limits{Fuel: 1 << 40, Time: time.Nanosecond}, "", draws...)
		wantKind(t, err, KindTime)
	})
}

// TestConnectGivesUp has a guest dial for ever.
func TestConnectGivesUp(t *testing.T) {
	dials := 0
	h := &testHost{connect: func(context.Context) (net.Conn, error) {
		dials++
		return nil, syscall.ECONNREFUSED
	}}
	if _, err := calls(t, newRuntime(t, false), h, Limits{}, "", slices.Repeat([]do{{"connect", nil}}, maxConnects+1)...); err != nil {
		t.Fatal(err)
	}
	if dials != maxConnects || h.results[0] != int32(abi.Refused) || h.results[len(h.results)-1] != int32(abi.Limit) {
		t.Errorf("%d dials, results %v", dials, h.results)
	}
}

func wantKind(t *testing.T, err error, kind Kind) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("got %v, want an error of kind %s", err, kind)
	}
}

// A brokenConn panics when it is read from.
type brokenConn struct{ net.Conn }

func (brokenConn) Read([]byte) (int, error) { panic("broken") }

// TestPanicsInWaits has a connection panic on either side of a wait for both: that is
// the end of the negotiation, and not of the process.
func TestPanicsInWaits(t *testing.T) {
	for side := range 2 {
		conns := [2]net.Conn{}
		for i := range conns {
			conns[i], _ = pair(t)
		}
		conns[side] = brokenConn{conns[side]}
		h := &testHost{accepted: conns[abi.Accepted], connect: func(context.Context) (net.Conn, error) { return conns[abi.Outgoing], nil }}
		_, err := calls(t, newRuntime(t, false), h, Limits{}, "", do{"connect", nil}, do{"wait", []int32{3, -1}})
		wantKind(t, err, KindInternal)
	}
}
