package guest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// goGuest builds sdk/go/testdata/probe with the Go toolchain, once for all tests.
var goGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "probe.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags", "-s -w", "-o", file, "../../sdk/go/testdata/probe")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func loadGo(t testing.TB, r *Runtime, allow ...abi.Capability) *Module {
	t.Helper()
	wasm, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Load(t.Context(), Source{Name: "probe", Wasm: wasm, Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	if m.Info.Plain != "" || m.image == nil || !m.image.initialized {
		t.Fatalf("it begins from no image: %s", m.Info.Plain)
	}
	return m
}

// probe runs the guest with options, a name and a value each.
func probe(t testing.TB, m *Module, options ...string) (*testHost, error) {
	t.Helper()
	h := &testHost{options: map[string]string{}}
	for pair := range slices.Chunk(options, 2) {
		h.options["option."+pair[0]] = pair[1]
	}
	_, err := m.Negotiate(t.Context(), h, Limits{Fuel: 1 << 30})
	return h, err
}

// TestGoGuestKeepsNothing has instances write a word all over their memory, and others
// look for it in all of theirs.
func TestGoGuestKeepsNothing(t *testing.T) {
	const word = "secret-of-one-connection"
	shifted := strings.Map(func(r rune) rune { return r + 1 }, word)
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := loadGo(t, r)
		none := func(string) (string, bool) { return "", false }
		if err := m.Configure(t.Context(), none, func(int, string) {}, Limits{Fuel: 1 << 30}); err != nil {
			t.Fatal(err)
		}
		pages := strconv.Itoa(int(m.minPages()))
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				for range warmInstances + 1 { // those that were made ahead, and one that was not
					if _, err := probe(t, m, "do", "keep", "word", word); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for range warmInstances + 1 {
			if _, err := probe(t, m, "do", "look", "word", shifted, "pages", pages); err != nil {
				t.Error(err)
			}
		}
		// The search finds what is there.
		there := strings.Map(func(r rune) rune { return r + 1 }, "no such thing to do")
		if _, err := probe(t, m, "do", "look", "word", there, "pages", pages); err == nil || !strings.Contains(err.Error(), "found at ") {
			t.Errorf("looking for what is there: %v", err)
		}
	})
}

// TestGoGuest does what a program of the Go toolchain may want to.
func TestGoGuest(t *testing.T) {
	r := newRuntime(t, false)
	plain, granted := loadGo(t, r), loadGo(t, r, abi.Random, abi.Clock)
	for _, tt := range []struct {
		do, fact, want string
		m              *Module
	}{
		{"sleep", "slept", "true", plain},
		{"sleep", "clock", "true", plain},
		{"year", "year", "1970", plain},
		{"year", "year", strconv.Itoa(time.Now().UTC().Year()), granted},
		{"file", "file", "open /etc/passwd: Not implemented on wasip1", plain},
		{"file", "args", "0 0", plain},
		{"grow", "", "", plain},
	} {
		h, err := probe(t, tt.m, "do", tt.do)
		if err != nil || h.facts[tt.fact] != tt.want {
			t.Errorf("%s: %s is %q, want %q; %v %q", tt.do, tt.fact, h.facts[tt.fact], tt.want, err, h.lines)
		}
	}

	h, err := probe(t, plain, "do", "print")
	if want := []string{"4 to standard error", "5 to standard output"}; err != nil || !slices.Equal(h.lines, want) {
		t.Errorf("lines %q, want %q; %v", h.lines, want, err)
	}
	h, err = probe(t, plain, "do", "panic", "word", "good")
	if e, ok := err.(*Error); !ok || e.Kind != KindTrap || !slices.Contains(h.lines, "4 panic: no good") {
		t.Errorf("panic: %v, lines %q", err, h.lines)
	}
	_, err = probe(t, plain, "do", "exit")
	if e, ok := err.(*Error); !ok || e.Kind != KindTrap || !strings.HasPrefix(e.Reason, "trap: it exited with status 7") {
		t.Errorf("exit: %v", err)
	}
	_, err = probe(t, plain, "do", "random")
	if e, ok := err.(*Error); !ok || e.Kind != KindImport || !strings.Contains(e.Reason, `add "guestAllow = random"`) {
		t.Errorf("random without the capability: %v", err)
	}
	one, err := probe(t, granted, "do", "random")
	two, err2 := probe(t, granted, "do", "random")
	if err != nil || err2 != nil || one.facts["random"] == two.facts["random"] || one.facts["random"] == "" {
		t.Errorf("random: %q and %q, %v, %v", one.facts, two.facts, err, err2)
	}
}
