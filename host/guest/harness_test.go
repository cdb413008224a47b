package guest

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// TestMain fails if goroutines are left when all tests are done. Fuzzing starts some
// of its own that stay.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code)
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			fmt.Printf("%d goroutines are left, there were %d\n%s\n", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			code = 1
			break
		}
	}
	os.Exit(code)
}

// everything grants all capabilities.
func everything() []abi.Capability {
	var all []abi.Capability
	for _, c := range abi.Capabilities {
		all = append(all, c.Name)
	}
	return all
}

// eachEngine runs a test on wazero's compiler and on its interpreter.
func eachEngine(t *testing.T, test func(t *testing.T, r *Runtime)) {
	for _, engine := range []struct {
		name        string
		interpreter bool
	}{{"compiler", false}, {"interpreter", true}} {
		t.Run(engine.name, func(t *testing.T) { test(t, newRuntime(t, engine.interpreter)) })
	}
}

func newRuntime(t testing.TB, interpreter bool) *Runtime {
	t.Helper()
	r, err := NewRuntime(t.Context(), RuntimeOptions{Interpreter: interpreter})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func module(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "guests", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t testing.TB, r *Runtime, name string) *Module {
	t.Helper()
	m, err := r.Load(t.Context(), Source{Name: name, Wasm: module(t, name), Allow: everything()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pair is both ends of a TCP connection over loopback.
func pair(t testing.TB) (ours, peer net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); peer.Close() })
	return ours, peer
}

// A testHost is a Host that a test fills in.
type testHost struct {
	NoHost
	accepted net.Conn
	connect  func(context.Context) (net.Conn, error)
	startTLS func(ctx context.Context, side abi.Side, early []byte) (net.Conn, error)
	options  map[string]string
	secrets  map[string]string
	info     map[abi.InfoID]string
	logged   func(severity int, text string) // may be nil
	names    map[string][]netip.Addr         // what resolve knows
	forbids  error                           // of SetTarget

	target string   // that the guest chose
	asked  []string // names that it had looked up
	alpn   []string // of its last handshake

	results []int32 // what the caller guest's calls returned
	facts   map[string]string
	lines   []string
}

func (h *testHost) Accepted() net.Conn { return h.accepted }

func (h *testHost) Connect(ctx context.Context) (net.Conn, error) { return h.connect(ctx) }

func (h *testHost) SetTarget(target string) error {
	if h.forbids == nil {
		h.target = target
	}
	return h.forbids
}

func (h *testHost) Resolve(_ context.Context, name string) ([]netip.Addr, error) {
	h.asked = append(h.asked, name)
	if addrs, ok := h.names[name]; ok {
		return addrs, nil
	}
	return nil, &net.DNSError{Name: name, IsNotFound: true}
}

func (h *testHost) Fact(key string) (string, bool) {
	v, ok := h.facts[key]
	return v, ok
}

func (h *testHost) StartTLS(ctx context.Context, side abi.Side, alpn []string, early []byte) (net.Conn, error) {
	h.alpn = alpn
	return h.startTLS(ctx, side, early)
}

func (h *testHost) Config(key string) (string, bool) {
	if len(key) == 4 {
		h.results = append(h.results, int32(binary.LittleEndian.Uint32([]byte(key))))
		return "", false
	}
	v, ok := h.options[key]
	return v, ok
}

func (h *testHost) Secret(key string) (string, bool) {
	v, ok := h.secrets[key]
	return v, ok
}

func (h *testHost) Info(id abi.InfoID) (string, bool) {
	v, ok := h.info[id]
	return v, ok
}

func (h *testHost) Annotate(key, value string) {
	if h.facts == nil {
		h.facts = make(map[string]string)
	}
	h.facts[key] = value
}

func (h *testHost) Log(severity int, text string) {
	h.lines = append(h.lines, fmt.Sprintf("%d %s", severity, text))
	if h.logged != nil {
		h.logged(severity, text)
	}
}

// do is a host call for the caller guest: the name of a function, or "return".
type do struct {
	name string
	args []int32
}

func (d do) record() []byte {
	number := slices.IndexFunc(abi.Functions, func(f abi.Function) bool { return f.Name == d.name })
	if d.name == "return" {
		number = 100
	} else if number < 0 {
		panic("no function " + d.name)
	}
	words := [8]int32{int32(number)}
	copy(words[1:], d.args)
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, uint32(w))
	}
	return b
}

// calls runs the caller guest: data lies at address 0, and h.results tells what each
// call returned.
func calls(t testing.TB, r *Runtime, h *testHost, l Limits, data string, program ...do) (*Outcome, error) {
	t.Helper()
	var b []byte
	for _, d := range program {
		b = append(b, d.record()...)
	}
	if h.accepted == nil {
		h.accepted, _ = pair(t)
	}
	if h.options == nil {
		h.options = make(map[string]string)
	}
	h.options["option.program"], h.options["option.data"] = string(b), data
	return load(t, r, "caller").Negotiate(t.Context(), h, l)
}

// wantError checks the kind and the text of an error of this package.
func wantError(t testing.TB, err error, kind Kind, text string) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	if e.Kind != kind || e.Error() != text {
		t.Fatalf("got %v error\n  %q\nwant %v error\n  %q", e.Kind, e.Error(), kind, text)
	}
	return e
}
