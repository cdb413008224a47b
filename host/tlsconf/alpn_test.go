package tlsconf

import (
	"strconv"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestForALPN has a guest name other protocols each time: each is what it asked for, all
// share sessions, and none leaves a trace.
func TestForALPN(t *testing.T) {
	server, client := contexts(t, func(s, c *config.Service, _ string) { s.MaxVersion = config.TLS12 })
	if server.For(nil, nil) != server.Config || client.For(nil, nil) != client.Config {
		t.Error("no protocols have a configuration of their own")
	}
	for i := range 20 {
		names := []string{"x" + strconv.Itoa(i), "y"}
		s, c, err := handshake(t, server.For(names[:1], nil), client.For(names, nil))
		if err != nil || s.NegotiatedProtocol != names[0] || c.NegotiatedProtocol != names[0] {
			t.Errorf("%v: %q and %q, want %q", err, s.NegotiatedProtocol, c.NegotiatedProtocol, names[0])
		}
		if s.DidResume != (i > 0) {
			t.Errorf("handshake %d: resumed is %v", i, s.DidResume)
		}
	}
	if server.Config.NextProtos != nil || client.Config.NextProtos != nil {
		t.Errorf("protocols stay: %q and %q", server.Config.NextProtos, client.Config.NextProtos)
	}
}
