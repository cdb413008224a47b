package stdproto_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// Bounds that every bundled guest keeps, since each connection pays for its memory
// and each start of the program for its code.
const (
	maxSize  = 40 << 10 // bytes of the module; connect, which has NTLM in it, is the largest
	maxPages = 1        // 64 KiB pages
)

// TestBundled checks what is true of every bundled guest.
func TestBundled(t *testing.T) {
	for _, name := range append(stdproto.Names(), stdproto.Policies()...) {
		t.Run(name, func(t *testing.T) {
			module := load(t, name)
			if module.Info.Size > maxSize || module.Info.MinPages > maxPages {
				t.Errorf("%d bytes and %d pages, want at most %d and %d", module.Info.Size, module.Info.MinPages, maxSize, maxPages)
			}
			// What the table grants is what the module needs, no more.
			// The import info says nothing of the facts that are asked for.
			need, granted := slices.Clone(module.Info.Capabilities), slices.Sorted(slices.Values(stdproto.Grants(name)))
			if slices.Contains(granted, abi.Peer) && slices.Contains(module.Info.Imports, "info") {
				need = append(need, abi.Peer)
			}
			slices.Sort(need)
			if !slices.Equal(need, granted) {
				t.Errorf("imports need %q, granted are %q", need, granted)
			}
			if !bytes.HasPrefix(module.Info.Manifest, []byte("name: "+name+"\n")) {
				t.Errorf("manifest is %q", module.Info.Manifest)
			}
			if !module.Info.Configures {
				t.Error("it checks no options")
			}
			if wasm, _ := stdproto.Lookup(name); bytes.Contains(wasm, []byte("/usr/")) || bytes.Contains(wasm, []byte("/work")) {
				t.Error("it holds a path of the machine that built it")
			}
		})
	}
}

func TestLookup(t *testing.T) {
	lower, ok := stdproto.Lookup("smtp")
	if !ok || len(lower) == 0 {
		t.Fatal("no smtp")
	}
	if upper, ok := stdproto.Lookup("SMTP"); !ok || !bytes.Equal(upper, lower) {
		t.Error("case matters")
	}
	if _, ok := stdproto.Lookup("smtp.wasm"); ok {
		t.Error("smtp.wasm is a protocol")
	}
	if grants := stdproto.Grants("SMTP"); !slices.Equal(grants, []abi.Capability{abi.Secret}) {
		t.Errorf("smtp is granted %q", grants)
	}
	if grants := stdproto.Grants("nothing"); grants != nil {
		t.Errorf("an unknown guest is granted %q", grants)
	}
}

// sessions are whole negotiations, said ahead by both peers.
var sessions = []struct {
	name          string
	config        map[string]string
	local, server string
}{
	{"server", map[string]string{"client": "no"},
		"EHLO client.example\r\nSTARTTLS\r\n", "220 mx.example.org ESMTP Postfix\r\n"},
	{"client", map[string]string{"client": "yes"},
		"", "220 mx.example.org ESMTP\r\n250-mx.example.org\r\n250-PIPELINING\r\n250 STARTTLS\r\n220 go\r\n"},
	{"login", map[string]string{"client": "yes", "protocolusername": "user"},
		"", "220 mx.example.org ESMTP\r\n250-mx.example.org\r\n250 STARTTLS\r\n220 go\r\n"},
}

// afterTLS is what the server says inside TLS in session login.
const afterTLS = "250-mx.example.org\r\n250 AUTH PLAIN LOGIN\r\n235 2.7.0 ok\r\n"

// converse runs a session once.
func converse(tb testing.TB, module *guest.Module, i int, l guest.Limits) (*guest.Outcome, error) {
	tb.Helper()
	session := sessions[i]
	script := flight.New()
	maps.Copy(script.Config, session.config)
	if session.name == "login" {
		script.Secrets["protocolpassword"] = "pass"
	}
	accepted, _ := said([]byte(session.local), false)
	outgoing, far := flight.Pipe(false)
	if _, err := far.Write([]byte(session.server)); err != nil {
		tb.Fatal(err)
	}
	host := flight.NewHost(script, accepted, outgoing)
	host.Handshake = func(abi.Side, io.Reader) error {
		_, err := far.Write([]byte(afterTLS))
		return err
	}
	return module.Negotiate(context.Background(), host, l)
}

// TestFuel finds what a negotiation costs, in instructions as package meter charges
// them, and holds it far below the default limit.
func TestFuel(t *testing.T) {
	const want = 30_000
	module := load(t, "smtp")
	for i, session := range sessions {
		low, high := uint64(1), uint64(guest.DefaultFuel)
		for low < high {
			middle := (low + high) / 2
			_, err := converse(t, module, i, guest.Limits{Fuel: middle})
			if err == nil {
				high = middle
				continue
			}
			if e, ok := errors.AsType[*guest.Error](err); !ok || e.Kind != guest.KindFuel {
				t.Fatal(err)
			}
			low = middle + 1
		}
		outcome, err := converse(t, module, i, guest.Limits{Fuel: low})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d instructions, %d host calls", session.name, low, outcome.Calls)
		if low > want {
			t.Errorf("%s spends %d, want at most %d", session.name, low, want)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	ctx := context.Background()
	wasm, _ := stdproto.Lookup("smtp")
	for b.Loop() {
		// A runtime of its own, since one compiles equal bytes only once.
		runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := runtime.Load(ctx, guest.Source{Name: "smtp", Wasm: wasm, Allow: stdproto.Grants("smtp")}); err != nil {
			b.Fatal(err)
		}
		if err := runtime.Close(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNegotiate(b *testing.B) {
	module := load(b, "smtp")
	for i, session := range sessions {
		b.Run(session.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := converse(b, module, i, guest.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
