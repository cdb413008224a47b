package guest_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// A mute host has a connection that gives nothing.
type mute struct {
	guest.NoHost
	accepted net.Conn
}

func (h mute) Accepted() net.Conn { return h.accepted }

func smtp(b *testing.B) guest.Source {
	wasm, ok := stdproto.Lookup("smtp")
	if !ok {
		b.Fatal("no smtp guest")
	}
	return guest.Source{Name: "smtp", Wasm: wasm, Allow: []abi.Capability{abi.Secret}}
}

// BenchmarkLoad checks, meters and compiles the smtp guest.
func BenchmarkLoad(b *testing.B) {
	r, err := guest.NewRuntime(b.Context(), guest.RuntimeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close(b.Context())
	for b.Loop() {
		m, err := r.Load(b.Context(), smtp(b))
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart is a runtime and the smtp guest, as the daemon starts with them.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		r, err := guest.NewRuntime(b.Context(), guest.RuntimeOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Load(b.Context(), smtp(b)); err != nil {
			b.Fatal(err)
		}
		if err := r.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNegotiate makes an instance of a guest and runs it to its first refusal,
// which is all that a connection costs beyond its conversation.
func BenchmarkNegotiate(b *testing.B) {
	echo, err := os.ReadFile(filepath.Join("..", "..", "testdata", "guests", "returns.wasm"))
	if err != nil {
		b.Fatal(err)
	}
	for _, engine := range []struct {
		name        string
		interpreter bool
	}{{"compiler", false}, {"interpreter", true}} {
		for _, s := range []guest.Source{{Name: "minimal", Wasm: echo}, smtp(b)} {
			b.Run(engine.name+"/"+s.Name, func(b *testing.B) {
				r, err := guest.NewRuntime(b.Context(), guest.RuntimeOptions{Interpreter: engine.interpreter})
				if err != nil {
					b.Fatal(err)
				}
				defer r.Close(b.Context())
				m, err := r.Load(b.Context(), s)
				if err != nil {
					b.Fatal(err)
				}
				ours, peer := net.Pipe()
				peer.Close()
				b.ReportAllocs()
				for b.Loop() {
					if _, err := m.Negotiate(b.Context(), mute{accepted: ours}, guest.Limits{}); err == nil {
						b.Fatal("it succeeded")
					}
				}
			})
		}
	}
}
