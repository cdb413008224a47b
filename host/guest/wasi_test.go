package guest

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// wasiCalls runs the preview1 guest: data lies at address 0, and h.results tells what
// each call returned. Besides WASI's there are "tell", for the word at an address, and
// "return".
func wasiCalls(t testing.TB, m *Module, h *testHost, l Limits, data string, program ...do) error {
	t.Helper()
	names := slices.Sorted(maps.Keys(wasiFunctions))
	var b []byte
	for _, d := range program {
		number, ok := slices.BinarySearch(names, d.name)
		switch {
		case d.name == "tell":
			number = 100
		case d.name == "return":
			number = 101
		case !ok:
			t.Fatalf("no function %q", d.name)
		}
		words := [12]int32{int32(number)}
		copy(words[1:], d.args)
		for _, w := range words {
			b = binary.LittleEndian.AppendUint32(b, uint32(w))
		}
	}
	h.options = map[string]string{"option.program": string(b), "option.data": data}
	_, err := m.Negotiate(t.Context(), h, l)
	return err
}

func loadWith(t testing.TB, r *Runtime, name string, allow ...abi.Capability) *Module {
	t.Helper()
	m, err := r.Load(t.Context(), Source{Name: name, Wasm: module(t, name), Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// words lays out what a guest has in memory.
func words(ws ...uint32) string {
	var b []byte
	for _, w := range ws {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return string(b)
}

func TestWASI(t *testing.T) {
	// At 0 two vectors, at 16 their bytes, at 48 a subscription to a clock that is over at
	// once and at 96 one to a descriptor.
	data := words(16, 3, 19, 6) + "one\ntwo\nthree" + strings.Repeat("\x00", 19) +
		words(77, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0) + words(88, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	tests := []struct {
		name    string
		program []do
		want    []int32
		lines   []string
	}{
		{"nothing to hand over", []do{
			{"args_sizes_get", []int32{4, 8}}, {"tell", []int32{4}}, {"tell", []int32{8}}, {"args_get", []int32{-1, -1}},
			{"environ_sizes_get", []int32{16, 20}}, {"tell", []int32{16}}, {"environ_get", []int32{-1, -1}},
		}, []int32{0, 0, 0, 0, 0, 0, 0}, nil},
		{"lines", []do{
			{"fd_write", []int32{1, 0, 2, at}}, {"tell", []int32{at}}, {"fd_write", []int32{2, 8, 1, at}},
		}, []int32{0, 9, 0}, []string{"5 one", "5 two", "4 two", "5 t", "4 t"}},
		{"the rest of a line", []do{{"fd_write", []int32{2, 0, 1, at}}, {"fd_write", []int32{2, 0, 1, at}}},
			[]int32{0, 0}, []string{"4 oneone"}},
		{"other descriptors", []do{
			{"fd_write", []int32{0, 0, 1, at}}, {"fd_write", []int32{3, 0, 1, at}}, {"fd_write", []int32{1, 0, 1025, at}},
			{"fd_prestat_get", []int32{3, at}}, {"fd_fdstat_get", []int32{0, at}}, {"fd_fdstat_get", []int32{2, at}}, {"tell", []int32{at}},
			{"tell", []int32{at + 8}},
		}, []int32{8, 8, 28, 8, 8, 0, 2, 64}, nil},
		{"clocks", []do{
			{"clock_res_get", []int32{0, at}}, {"tell", []int32{at}}, {"clock_res_get", []int32{4, at}}, {"clock_time_get", []int32{4, 0, at}},
		}, []int32{0, 1_000_000, 28, 28}, nil},
		{"sleep", []do{
			{"poll_oneoff", []int32{48, at, 1, at + 100}}, {"tell", []int32{at + 100}}, {"tell", []int32{at}}, {"tell", []int32{at + 8}},
			{"poll_oneoff", []int32{48, at, 2, at + 100}}, {"tell", []int32{at + 100}}, {"tell", []int32{at}}, {"tell", []int32{at + 8}},
			{"poll_oneoff", []int32{48, at, 0, at + 100}}, {"poll_oneoff", []int32{48, at, 65, at + 100}},
		}, []int32{0, 1, 77, 0, 0, 1, 88, 8 | 1<<16, 28, 28}, nil},
		{"yield", []do{{"sched_yield", nil}, {"return", []int32{0}}}, []int32{0}, nil},
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := loadWith(t, r, "preview1")
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				h := &testHost{}
				h.accepted, _ = pair(t)
				if err := wasiCalls(t, m, h, Limits{}, data, tt.program...); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(h.results, tt.want) {
					t.Errorf("got %d, want %d", h.results, tt.want)
				}
				if !slices.Equal(h.lines, tt.lines) {
					t.Errorf("lines %q, want %q", h.lines, tt.lines)
				}
			})
		}
	})
}

// TestWASINotThere calls what is not offered, with pointers that lead nowhere.
func TestWASINotThere(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := loadWith(t, r, "preview1")
		for name, f := range wasiFunctions {
			if f.do != nil {
				continue
			}
			h := &testHost{}
			h.accepted, _ = pair(t)
			if err := wasiCalls(t, m, h, Limits{}, "", do{name, slices.Repeat([]int32{-1}, len(f.params))}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !slices.Equal(h.results, []int32{int32(errnoNosys)}) {
				t.Errorf("%s returned %d", name, h.results)
			}
		}
	})
}

// TestWASIPointers gives every function that takes memory a range that the guest does
// not have.
func TestWASIPointers(t *testing.T) {
	const end = 4 << 16
	type bad struct {
		name string
		args []int32
	}
	tests := []bad{
		{"args_sizes_get", []int32{end - 3, 0}}, {"args_sizes_get", []int32{0, end - 3}}, {"args_sizes_get", []int32{-1, 0}},
		{"environ_sizes_get", []int32{end - 3, 0}}, {"environ_sizes_get", []int32{0, -4}},
		{"clock_res_get", []int32{0, end - 7}}, {"clock_time_get", []int32{0, 0, end - 7}}, {"clock_time_get", []int32{1, 0, -8}},
		{"fd_fdstat_get", []int32{1, end - 23}}, {"fd_fdstat_get", []int32{2, -1}},
		{"fd_write", []int32{1, end - 7, 1, 100}}, {"fd_write", []int32{1, 0, 1, end - 3}}, {"fd_write", []int32{1, -8, 1, 100}},
		{"fd_write", []int32{1, end - 8*1023, 1024, 100}},
		{"fd_write", []int32{1, 0, 1, 100}}, // whose vector leads beyond the end
		{"fd_write", []int32{2, 8, 1, 100}}, // whose vector is longer than the memory
		{"random_get", []int32{end, 1}}, {"random_get", []int32{0, end + 1}}, {"random_get", []int32{1, -1}}, {"random_get", []int32{-16, 17}},
		{"poll_oneoff", []int32{end - 47, 0, 1, 0}}, {"poll_oneoff", []int32{0, end - 31, 1, 0}}, {"poll_oneoff", []int32{0, 0, 1, end - 3}},
		{"poll_oneoff", []int32{end - 48*63, 0, 64, 0}},
	}
	for name, f := range wasiFunctions {
		pointerless := []string{"args_get", "environ_get", "fd_prestat_get", "sched_yield", "proc_exit"} // which look at none
		if f.do != nil && !slices.Contains(pointerless, name) && !slices.ContainsFunc(tests, func(b bad) bool { return b.name == name }) {
			t.Errorf("no case for %s", name)
		}
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := loadWith(t, r, "preview1", abi.Random, abi.Clock)
		for _, tt := range tests {
			t.Run(fmt.Sprint(tt.name, tt.args), func(t *testing.T) {
				h := &testHost{}
				h.accepted, _ = pair(t)
				err := wasiCalls(t, m, h, Limits{}, words(end, 1, 0, 0xffffffff), do(tt))
				e, ok := err.(*Error)
				if !ok || e.Kind != KindPointer || !strings.HasPrefix(e.Reason, tt.name+": pointer out of range") {
					t.Errorf("got %v, results %d", err, h.results)
				}
			})
		}
	})
}

func TestWASIExit(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := loadWith(t, r, "preview1")
		h := &testHost{}
		h.accepted, _ = pair(t)
		err := wasiCalls(t, m, h, Limits{}, words(8, 4)+"oops", do{"fd_write", []int32{2, 0, 1, 100}}, do{"proc_exit", []int32{-2}})
		wantError(t, err, KindTrap, prefix("preview1", module(t, "preview1"))+"trap: it exited with status 4294967294 in do")
		if !slices.Equal(h.lines, []string{"4 oops"}) {
			t.Errorf("lines %q", h.lines)
		}
	})
}

// TestWASICounts holds WASI to what bounds the other host calls.
func TestWASICounts(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := loadWith(t, r, "preview1")
		h := &testHost{}
		h.accepted, _ = pair(t)
		yields := slices.Repeat([]do{{"sched_yield", nil}}, 20)
		err := wasiCalls(t, m, h, Limits{Calls: 30}, "", yields...)
		wantError(t, err, KindCalls, prefix("preview1", module(t, "preview1"))+"more than 30 host calls in do")

		h = &testHost{accepted: h.accepted}
		flood := slices.Repeat([]do{{"fd_write", []int32{1, 0, 1, 100}}}, 2*maxLogLines)
		if err := wasiCalls(t, m, h, Limits{}, words(8, 2)+"x\n", flood...); err != nil {
			t.Fatal(err)
		}
		if len(h.lines) != maxLogLines+1 || h.lines[maxLogLines] != "4 guest preview1 logs too much, the rest of it is dropped" {
			t.Errorf("%d lines, the last %q", len(h.lines), h.lines[len(h.lines)-1])
		}

		// What has no line end is kept up to a line's length.
		h = &testHost{accepted: h.accepted}
		if err := wasiCalls(t, m, h, Limits{}, words(0, 100_000), do{"fd_write", []int32{1, 0, 1, 200}}, do{"fd_write", []int32{1, 0, 1, 200}}); err != nil {
			t.Fatal(err)
		}
		if len(h.lines) != 1 || len(h.lines[0]) > maxLine+2 {
			t.Errorf("lines %q", h.lines)
		}
	})
}

// TestWASISleepEnds sleeps for longer than a negotiation may take.
func TestWASISleepEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := loadWith(t, r, "preview1")
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			forever := words(0, 0, 0, 0, 1, 0, 0xffffffff, 0xffffffff, 0, 0, 0, 0)
			err := wasiCalls(t, m, &testHost{}, Limits{Time: time.Hour}, forever, do{"poll_oneoff", []int32{0, 100, 1, 200}})
			wantError(t, err, KindTime, prefix("preview1", module(t, "preview1"))+"not done after 1h0m0s in do")
			if d := time.Since(began); d != time.Hour {
				t.Errorf("it took %v", d)
			}
		})
	})
}

// TestWASIGrants looks at random bytes and clocks with the capabilities for them and
// without.
func TestWASIGrants(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		run := func(m *Module, again bool) ([]int32, error) {
			h := &testHost{}
			if again {
				h.options = map[string]string{"option.again": ""}
			}
			h.accepted, _ = pair(t)
			_, err := m.Negotiate(t.Context(), h, Limits{})
			return h.results, err
		}
		ms := func(words []int32) time.Duration {
			return time.Duration(int64(uint32(words[0]))|int64(words[1])<<32) * time.Millisecond
		}
		without := loadWith(t, r, "seeded")
		var seeds []int32
		for range 2 {
			got, err := run(without, false)
			if err != nil {
				t.Fatal(err)
			}
			if day, elapsed := ms(got), ms(got[2:]); day > elapsed || elapsed <= 0 || elapsed > time.Minute { // asked in this order
				t.Errorf("time of day %v, elapsed %v", day, elapsed)
			}
			seeds = append(seeds, got[4])
		}
		other, err := run(loadWith(t, r, "seeded"), false)
		if err != nil {
			t.Fatal(err)
		}
		if seeds[0] != seeds[1] || seeds[0] == other[4] {
			t.Errorf("seeds %x, of another load %x: want one for each load", seeds, other[4])
		}
		_, err = run(without, true)
		wantError(t, err, KindImport, prefix("seeded", module(t, "seeded"))+
			`it draws random bytes, which needs capability random: add "guestAllow = random" in $8`)

		with := loadWith(t, r, "seeded", abi.Random, abi.Clock)
		var drawn []int32
		for range 2 {
			got, err := run(with, true)
			if err != nil {
				t.Fatal(err)
			}
			if d := time.Since(time.Unix(0, 0)) - ms(got); d < 0 || d > time.Minute {
				t.Errorf("the time of day is off by %v", d)
			}
			drawn = append(drawn, got[5])
		}
		if drawn[0] == drawn[1] {
			t.Errorf("drew %x twice", drawn[0])
		}
	})
}

// TestWASIDoc has a sentence for every function.
func TestWASIDoc(t *testing.T) {
	for name := range wasiFunctions {
		if WASIDoc(name, nil) == "" {
			t.Errorf("no words for %s", name)
		}
	}
	if a, b := WASIDoc("random_get", nil), WASIDoc("random_get", everything()); a == b {
		t.Errorf("random_get is %q with and without the capability", a)
	}
	m := loadWith(t, newRuntime(t, false), "seeded")
	if want := []string{"random_get", "clock_time_get"}; !slices.Equal(m.Info.WASI, want) || !slices.Equal(m.Info.Imports, []string{"config"}) {
		t.Errorf("imports %q and %q of WASI", m.Info.Imports, m.Info.WASI)
	}
}

// TestWASIIsCharged has the host work for little of a guest's fuel: on lines of a text, on
// vectors without bytes and on subscriptions, each in numbers that a negotiation's host
// calls would allow.
func TestWASIIsCharged(t *testing.T) {
	r := newRuntime(t, false)
	m := load(t, r, "preview1")
	const fuel = 1_000_000
	for _, test := range []struct {
		name  string
		data  string
		call  do
		calls int
	}{
		{"lines", words(8, 130_000) + strings.Repeat("\n", 100_000), do{"fd_write", []int32{1, 0, 1, at}}, 8},
		{"vectors", "", do{"fd_write", []int32{1, 0, maxVectors, at}}, 20},
		{"subscriptions", strings.Repeat("\x01", maxSubscriptions*subscriptionSize), do{"poll_oneoff", []int32{0, 8192, maxSubscriptions, at}}, 260},
	} {
		t.Run(test.name, func(t *testing.T) {
			ours, _ := pair(t)
			err := wasiCalls(t, m, &testHost{accepted: ours}, Limits{Fuel: fuel}, test.data, slices.Repeat([]do{test.call}, test.calls)...)
			wantError(t, err, KindFuel, prefix("preview1", module(t, "preview1"))+"host calls moved more than 8000000 bytes in do")
		})
	}
}
