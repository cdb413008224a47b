package service

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestReloadWaitsForNamesAlone has a reload wait for a name server that does not
// answer. Connections go on meanwhile: they come in, and end, and can be listed.
func TestReloadWaitsForNamesAlone(t *testing.T) {
	b := newBench(t, logging.Debug)
	echo := testpeer.Serve(t, testpeer.Echo)
	b.apply(section("x", "127.0.0.1:0", echo))
	set := b.build(section("x", "a.name.test:0", echo))
	asked, release := make(chan struct{}, 1), make(chan struct{})
	saved := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = saved })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
		return nil, errors.New("no name server")
	}}
	applied := make(chan error)
	go func() { applied <- b.srv.Apply(t.Context(), set) }()
	<-asked
	c := callTLS(t, b.addr("x"), nil)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Errorf("no answer during a reload: %v", err)
	}
	c.Close()
	b.srv.List()
	close(release)
	if err := <-applied; err == nil {
		t.Error("a name that does not resolve was bound")
	}
	if err := set.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
