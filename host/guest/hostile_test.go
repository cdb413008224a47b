package guest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// prefix is how errors begin for a module of testdata.
func prefix(name string, wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return fmt.Sprintf("guest %s (%s): ", name, hex.EncodeToString(sum[:])[:12])
}

func TestLoadRefuses(t *testing.T) {
	const none = `imports come from "stunnel1"`
	tests := []struct {
		name string
		kind Kind
		text string
	}{
		{"ungranted", KindImport, `import stunnel1.secret needs capability secret: add "guestAllow = secret"; ` +
			`import stunnel1.now needs capability clock: add "guestAllow = clock"; import stunnel1.open: there is no such function`},
		{"signature", KindImport, "import stunnel1.read has type (i32, i32) -> i32, want (i32, i32, i32) -> i32"},
		{"version", KindImport, `import stunnel2.read: the guest was built for another version of the interface, this program has "stunnel1"`},
		{"wasi", KindImport, "import wasi_snapshot_preview1.fd_open: there is no such function; " +
			"import wasi_snapshot_preview1.proc_exit has type (i64) -> (), want (i32) -> (); " +
			`import wasi_unstable.proc_exit: of WASI only "wasi_snapshot_preview1" is offered; other ` + none},
		{"meter", KindLoad, `module "meter" is the meter's own, at offset 0x17 in import section`},
		{"import_memory", KindImport, "import stunnel1.memory is a memory, and only functions can be imported"},
		{"no_negotiate", KindLoad, `it does not export "negotiate"`},
		{"no_memory", KindLoad, "it has no memory of its own"},
		{"hidden_memory", KindLoad, `it does not export its memory as "memory"`},
		{"reexport", KindLoad, `its export "negotiate" is an import`},
		{"type", KindLoad, `its export "negotiate" has type (i32) -> i32, want () -> i32`},
		{"half_type", KindLoad, `its export "negotiate_client" has type (i32) -> i32, want () -> i32`},
		{"huge", KindLoad, `its memory begins with 257 pages of 64 KiB, the limit is 256: raise "guestMemory"`},
		{"invalid", KindLoad, `the module is not valid: invalid function[0] export["negotiate"]: cannot use i64 as result[0] type i32`},
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				b := module(t, tt.name)
				_, err := r.Load(t.Context(), Source{Name: tt.name, Wasm: b})
				wantError(t, err, tt.kind, prefix(tt.name, b)+tt.text)
			})
		}
	})
}

func TestRunStops(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		kind   Kind
		text   string
	}{
		{"loop", Limits{Fuel: 2_500_000}, KindFuel, "more than 2500000 instructions in spin"},
		{"loop", Limits{Fuel: 1 << 62, Time: 50 * time.Millisecond}, KindTime, "not done after 50ms in spin"},
		{"recurse", Limits{Fuel: 2_500_000}, KindFuel, "more than 2500000 instructions in f"},
		{"deep", Limits{}, KindDepth, "calls nest too deep in down"},
		{"frames", Limits{}, KindDepth, "calls nest too deep in down"},
		{"grow", Limits{Pages: 300}, KindRefusal, "negotiate returned 300"},
		{"grow", Limits{}, KindRefusal, "negotiate returned 256"},
		{"fill", Limits{}, KindFuel, "more than 20000000 instructions in fill"},
		{"outside", Limits{}, KindTrap, "trap: out of bounds memory access in fill"},
		{"unreachable", Limits{}, KindTrap, "trap: unreachable in inner"},
		{"start", Limits{Fuel: 2_500_000}, KindFuel, "more than 2500000 instructions in begin"},
		{"initialize", Limits{Fuel: 2_500_000}, KindFuel, "more than 2500000 instructions in begin"},
		{"calls", Limits{Fuel: 1 << 62}, KindCalls, "more than 100000 host calls in talk"},
		{"refuse", Limits{}, KindRefusal, `no\x0a such user`},
		{"returns", Limits{}, KindRefusal, "negotiate returned -6 (timeout)"},
		{"segment", Limits{}, KindTrap, "trap: data[0]: out of bounds memory access"},
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				m := load(t, r, tt.name)
				ours, _ := pair(t)
				_, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, tt.limits)
				wantError(t, err, tt.kind, prefix(tt.name, module(t, tt.name))+tt.text)
			})
		}
	})
}

// TestNames runs a guest that would forge a log line by the name of a function.
func TestNames(t *testing.T) {
	b := bytes.Replace(module(t, "names"), []byte("evil_LOG5"), []byte("evil\nLOG5"), 1)
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m, err := r.Load(t.Context(), Source{Name: "na\nmes", Wasm: b})
		if err != nil {
			t.Fatal(err)
		}
		ours, _ := pair(t)
		_, err = m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{})
		e := wantError(t, err, KindTrap, prefix(`na\x0ames`, b)+`trap: unreachable in evil`)
		if want := ".evil\nLOG5()\n.$3() i32"; e.Trace != want {
			t.Errorf("trace %q, want %q", e.Trace, want)
		}
	})
}

// TestPointers gives every import that takes memory a range that the guest does not have.
func TestPointers(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, f := range abi.Functions {
			if _, ok := hostCalls()[f.Name]; !ok {
				continue
			}
			// Which parameter a pointer is, its length being the next.
			pointers := map[string][]int{
				"read": {1}, "read_full": {1}, "read_line": {1}, "peek": {1}, "write": {1}, "config": {0, 2}, "secret": {0, 2},
				"info": {1}, "annotate": {0, 2}, "log": {1}, "fail": {1}, "random": {0},
				"set_target": {0}, "resolve": {0, 2}, "digest": {1, 3, 5}, "set_alpn": {0}, "fact": {0, 2},
				"wait": {}, "connect": {}, "starttls": {}, "now": {},
			}
			at, ok := pointers[f.Name]
			if !ok {
				t.Errorf("no case for %s", f.Name)
			}
			for _, i := range at {
				for _, bad := range [][2]int32{{-16, 17}, {262144, 1}, {0, 262145}, {1, -1}, {-1, -1}, {262143, 2}} {
					t.Run(fmt.Sprintf("%s/%d/%d+%d", f.Name, i, bad[0], bad[1]), func(t *testing.T) {
						args := make([]int32, len(f.Params))
						args[i], args[i+1] = bad[0], bad[1]
						_, err := calls(t, r, &testHost{}, Limits{}, "", do{f.Name, args})
						wantError(t, err, KindPointer, prefix("caller", module(t, "caller"))+
							fmt.Sprintf("%s: pointer out of range: %d bytes at %d, memory has 262144 in do", f.Name, uint32(bad[1]), uint32(bad[0])))
					})
				}
			}
		}
	})
}

// TestImplemented holds the host to the whole interface.
func TestImplemented(t *testing.T) {
	for _, f := range abi.Functions {
		if _, ok := hostCalls()[f.Name]; !ok {
			t.Errorf("%s is not implemented", f.Name)
		}
	}
	if len(hostCalls()) != len(abi.Functions) {
		t.Errorf("%d host calls, the interface has %d", len(hostCalls()), len(abi.Functions))
	}
}

// TestFlood runs a guest that logs more than it may.
func TestFlood(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		ours, _ := pair(t)
		h := &testHost{accepted: ours}
		if _, err := load(t, r, "flood").Negotiate(t.Context(), h, Limits{}); err != nil {
			t.Fatal(err)
		}
		last := h.lines[len(h.lines)-1]
		if want := "4 guest flood logs too much, the rest of it is dropped"; last != want {
			t.Errorf("last line %q, want %q", last, want)
		}
		size := 0
		for _, l := range h.lines {
			size += len(l)
		}
		if len(h.lines) > maxLogLines+1 || size > maxLogBytes+2*maxLine {
			t.Errorf("%d lines, %d bytes", len(h.lines), size)
		}
		if want := "6 " + strings.Repeat(`\x0a`, (maxLine-3)/4) + "..."; h.lines[0] != want {
			t.Errorf("got %q, want %q", h.lines[0], want)
		}
	})
}

// TestStain looks for what an earlier instance left in memory.
func TestStain(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := load(t, r, "stain")
		ours, _ := pair(t)
		for range 20 {
			if _, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestSpinnersHoldUpNobody has guests spin on more goroutines than there are
// processors. Garbage collection and other guests must still get their turn while
// all of them run, which a guest that is not metered would keep from them.
func TestSpinnersHoldUpNobody(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		loop, echo := load(t, r, "loop"), load(t, r, "echo")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		spinners := runtime.GOMAXPROCS(0) + 2
		running := make(chan struct{}, spinners)
		ended := make(chan error, spinners)
		for range spinners {
			ours, _ := pair(t)
			h := &testHost{accepted: ours, logged: func(int, string) { running <- struct{}{} }}
			go func() {
				_, err := loop.Negotiate(ctx, h, Limits{Fuel: 1 << 62, Time: time.Hour})
				ended <- err
			}()
		}
		for range spinners {
			<-running
		}

		runtime.GC()
		for range 3 {
			ours, peer := pair(t)
			done := make(chan error, 1)
			go func() {
				_, err := echo.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{})
				done <- err
			}()
			if _, err := peer.Write([]byte("hello\r\n")); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 7)
			if _, err := io.ReadFull(peer, answer); err != nil || string(answer) != "hello\r\n" {
				t.Fatalf("got %q, %v", answer, err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		select {
		case err := <-ended:
			t.Fatalf("a guest ended: %v", err)
		default: // All of this happened while they ran.
		}
		cancel()
		for range spinners {
			err := <-ended
			wantError(t, err, KindCancelled, prefix("loop", module(t, "loop"))+"cancelled in spin: context canceled")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v is not context.Canceled", err)
			}
		}
	})
}
