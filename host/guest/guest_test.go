package guest

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

func TestHash(t *testing.T) {
	r := newRuntime(t, false)
	b := module(t, "echo")
	m := load(t, r, "echo")
	for _, pin := range []string{m.Hash, strings.ToUpper(m.Hash)} {
		if _, err := r.Load(t.Context(), Source{Name: "echo", Wasm: b, Hash: pin}); err != nil {
			t.Error(err)
		}
	}
	other := strings.Repeat("0", 64)
	_, err := r.Load(t.Context(), Source{Name: "echo", Wasm: b, Hash: other})
	wantError(t, err, KindHash, prefix("echo", b)+"the module's SHA-256 is "+m.Hash+", the config pins "+other)
}

func TestInfo(t *testing.T) {
	m := load(t, newRuntime(t, false), "caller")
	i := m.Info
	if i.MinPages != 4 || i.Configures || i.Initializes || i.Size != len(module(t, "caller")) || !slices.Contains(i.Imports, "starttls") {
		t.Errorf("info %+v", i)
	}
	if want := []abi.Capability{abi.Secret, abi.Random, abi.Clock, abi.Target, abi.Crypto}; !slices.Equal(i.Capabilities, want) {
		t.Errorf("capabilities %q, want %q", i.Capabilities, want)
	}
}

// TestFacts calls what tells and what keeps facts.
func TestFacts(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		h := &testHost{
			options: map[string]string{"protocolHost": "mx.example.org"},
			secrets: map[string]string{"protocolHost": "wonderland"},
			info:    map[abi.InfoID]string{abi.InfoSNI: "name", abi.InfoPeerSubject: "CN=alice"},
		}
		o, err := calls(t, r, h, Limits{}, "protocolHost\xff\n",
			do{"config", []int32{0, 12, at, 4}},  // 14, and 4 bytes of it
			do{"config", []int32{0, 11, at, 4}},  // no such key
			do{"config", []int32{0, 257, at, 4}}, // no key is so long
			do{"secret", []int32{0, 12, at + 8, 100}},
			do{"info", []int32{5, at, 0}},
			do{"info", []int32{6, at, 0}},
			do{"info", []int32{-1, at, 0}},
			do{"info", []int32{16, at, 100}},
			do{"annotate", []int32{0, 12, 0, 14}},
			do{"annotate", []int32{0, 0, 0, 4}},
			do{"annotate", []int32{0, 65, 0, 4}},
			do{"random", []int32{at, 100}},
			do{"now", nil},
			do{"log", []int32{99, 0, 14}},
		)
		if err != nil {
			t.Fatal(err)
		}
		if want := []int32{14, -13, -3, 10, 4, -13, -3, 8, 0, -3, -3, 0, 1, 0}; !slices.Equal(h.results, want) {
			t.Errorf("got %d, want %d", h.results, want)
		}
		if want := map[string]string{"protocolHost": `protocolHost\xff\x0a`}; !maps.Equal(h.facts, want) {
			t.Errorf("facts %q, want %q", h.facts, want)
		}
		if want := []string{`7 protocolHost\xff\x0a`}; !slices.Equal(h.lines, want) {
			t.Errorf("lines %q, want %q", h.lines, want)
		}
		if o.Calls != 30 || o.Fuel != slice { // 14 calls, each told by another, and two that fetch the program
			t.Errorf("%d calls, %d fuel", o.Calls, o.Fuel)
		}
	})
}

func TestAnnotateLimit(t *testing.T) {
	h := &testHost{}
	program := slices.Repeat([]do{{"annotate", []int32{0, 1, 0, 1}}}, maxAnnotated+1)
	if _, err := calls(t, newRuntime(t, false), h, Limits{}, "k", program...); err != nil {
		t.Fatal(err)
	}
	if want := append(make([]int32, maxAnnotated), int32(abi.Limit)); !slices.Equal(h.results, want) {
		t.Errorf("got %d, want %d", h.results, want)
	}
}

// TestPeerNeedsCapability asks for facts of the peer's certificate without the grant,
// which no import tells when the module is loaded.
func TestPeerNeedsCapability(t *testing.T) {
	r := newRuntime(t, false)
	m, err := r.Load(t.Context(), Source{Name: "caller", Wasm: module(t, "caller"), Allow: []abi.Capability{abi.Secret, abi.Random, abi.Clock, abi.Target, abi.Crypto}})
	if err != nil {
		t.Fatal(err)
	}
	ours, _ := pair(t)
	h := &testHost{accepted: ours, info: map[abi.InfoID]string{abi.InfoPeerSubject: "CN=alice"},
		options: map[string]string{"option.program": string(do{"info", []int32{16, at, 10}}.record())}}
	if _, err := m.Negotiate(t.Context(), h, Limits{}); err != nil {
		t.Fatal(err)
	}
	if want := []int32{int32(abi.Denied)}; !slices.Equal(h.results, want) {
		t.Errorf("got %d, want %d", h.results, want)
	}
}

func TestConfigure(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		none := func(string) (string, bool) { return "", false }
		mute := func(int, string) {}
		err := load(t, r, "configure").Configure(t.Context(), none, mute, Limits{Fuel: 1 << 62, Time: 20 * time.Millisecond})
		wantError(t, err, KindTime, prefix("configure", module(t, "configure"))+"not done after 20ms in check")
		if err := load(t, r, "echo").Configure(t.Context(), none, mute, Limits{}); err != nil {
			t.Errorf("a guest without configure: %v", err)
		}

		var lines []string
		err = load(t, r, "options").Configure(t.Context(), func(key string) (string, bool) { return "bad", key == "option.x" },
			func(severity int, text string) { lines = append(lines, text) }, Limits{})
		e := wantError(t, err, KindRefusal, prefix("options", module(t, "options"))+"bad")
		if e.Class != abi.FailConfig || !slices.Equal(lines, []string{"bad"}) {
			t.Errorf("class %v, lines %q", e.Class, lines)
		}
		err = load(t, r, "options").Configure(t.Context(), none, mute, Limits{})
		wantError(t, err, KindRefusal, prefix("options", module(t, "options"))+"configure returned -4 (not now)")
	})
}

func TestRefusalClass(t *testing.T) {
	ours, _ := pair(t)
	_, err := load(t, newRuntime(t, false), "refuse").Negotiate(t.Context(), &testHost{accepted: ours}, Limits{})
	if e := wantError(t, err, KindRefusal, prefix("refuse", module(t, "refuse"))+`no\x0a such user`); e.Class != abi.FailPolicy {
		t.Errorf("class %v", e.Class)
	}
}

// TestHostPanics checks that a fault of ours ends one connection.
func TestHostPanics(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		h := &testHost{connect: nil}
		_, err := calls(t, r, h, Limits{}, "", do{"connect", nil})
		e := wantError(t, err, KindInternal, prefix("caller", module(t, "caller"))+
			"the host panicked: runtime error: invalid memory address or nil pointer dereference in do")
		if !strings.Contains(e.Trace, "doConnect") {
			t.Errorf("trace %q", e.Trace)
		}
	})
}

func TestCloseWhileRunning(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := load(t, r, "loop")
		ours, _ := pair(t)
		running := make(chan struct{})
		h := &testHost{accepted: ours, logged: func(int, string) { close(running) }}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := m.Negotiate(ctx, h, Limits{Fuel: 1 << 62})
			ended <- err
		}()
		<-running
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
		_, err := m.Negotiate(t.Context(), h, Limits{})
		wantError(t, err, KindInternal, prefix("loop", module(t, "loop"))+"the module is closed")
		cancel()
		wantError(t, <-ended, KindCancelled, prefix("loop", module(t, "loop"))+"cancelled in spin: context canceled")

		// The same module loaded again is another one.
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = r.Load(t.Context(), Source{Name: "loop", Wasm: module(t, "loop")})
		wantError(t, err, KindInternal, prefix("loop", module(t, "loop"))+"the runtime is closed")
	})
}

// TestTwoLoadsOfOneModule closes one of two modules with the same bytes, which share
// compiled code in wazero.
func TestTwoLoadsOfOneModule(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		one, two := load(t, r, "stain"), load(t, r, "stain")
		if err := one.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		ours, _ := pair(t)
		if _, err := two.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err != nil {
			t.Error(err)
		}
	})
}

func TestConcurrent(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		echo, stain := load(t, r, "echo"), load(t, r, "stain")
		var all sync.WaitGroup
		for range 4 {
			ours, peer := pair(t)
			all.Go(func() {
				for range 8 {
					if _, err := peer.Write([]byte("x\n")); err != nil {
						t.Error(err)
					}
					if _, err := echo.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err != nil {
						t.Error(err)
					}
					if _, err := stain.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
	})
}

func TestCacheDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for range 2 { // making it, using it again
		r, err := NewRuntime(t.Context(), RuntimeOptions{CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ours, _ := pair(t)
		if _, err := load(t, r, "stain").Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err != nil {
			t.Error(err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	files := 0
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files in the cache, %v", files, err)
	}

	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		link: "is not a directory", open: "has mode 0755", file: "is not a directory", filepath.Join(open, "a", "b"): "creating guestCache",
	} {
		if _, err := NewRuntime(t.Context(), RuntimeOptions{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", dir, err, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"plain text", 20, "plain text"},
		{"grün €", 20, "grün €"},
		{"a\r\nb\x00\x1b[2J\x7f", 80, `a\x0d\x0ab\x00\x1b[2J\x7f`},
		{`a\b`, 20, `a\\b`},
		{"\xff\xc3", 20, `\xff\xc3`},
		{"\u202eabc\u2028", 40, `\u{202e}abc\u{2028}`},
		{"0123456789", 10, "0123456789"},
		{"01234567890", 10, "0123456..."},
		{"012345\n\n\n", 10, "012345..."},
		{"€€€€€", 10, "€€..."},
		{"", 10, ""},
	}
	for _, tt := range tests {
		if got := printable(tt.in, tt.limit); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
		if got := printable([]byte(tt.in), tt.limit); got != tt.want {
			t.Errorf("%q in bytes: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\r\nb\x00\x1b[2J\x7f\u202e\xff")
	f.Fuzz(func(t *testing.T, in string) {
		out := printable(in, 64)
		if len(out) > 64 || !utf8.ValidString(out) || strings.ContainsAny(out, "\r\n\x00\x1b\u202e\u2028") {
			t.Errorf("%q became %q", in, out)
		}
	})
}
