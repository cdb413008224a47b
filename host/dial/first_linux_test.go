package dial

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A dial that starts at a certain target goes on from there, takes no turn, and does not
// look for targets that are none of the service's.
func TestDialFirst(t *testing.T) {
	says := func(name string) string {
		return testpeer.Serve(t, func(c net.Conn) { io.WriteString(c, name) })
	}
	one, gone, three := says("one"), dead(t), says("three")
	for _, failover := range []config.Failover{config.RoundRobin, config.Priority} {
		log := newRecord()
		d := New(context.Background(), []config.Address{address(t, one), address(t, gone), address(t, three)}, options(failover), log.ui())
		if !d.Several() {
			t.Error("three targets are not several")
		}
		d.next.Store(2) // so that the next turn is the first target's
		for first, want := range map[string]string{three: three, gone: three} {
			c, target, err := d.DialFirst(context.Background(), first, log.ui())
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if target.Addr != want {
				t.Errorf("%v from %s: %s, not %s", failover, first, target, want)
			}
		}
		log.has(t, "persistence: "+three+" reused", 1)
		if c, target, err := d.DialFirst(context.Background(), "192.0.2.1:1", log.ui()); err != nil || target.Addr != one {
			t.Errorf("%v from a target that is none: %v, %v", failover, target, err)
		} else {
			c.Close()
		}
		log.has(t, "persistence: 192.0.2.1:1 not available", 1)
	}
	if New(context.Background(), []config.Address{address(t, one)}, options(config.RoundRobin), newRecord().ui()).Several() {
		t.Error("one target is several")
	}
}
