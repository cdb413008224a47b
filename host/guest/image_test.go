package guest

import (
	"bytes"
	"sync"
	"testing"
)

// TestImage runs instances that leave marks all over memory and globals. Each looks for
// those of the others before it does, instances that were made ahead among them.
func TestImage(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := load(t, r, "image")
		if m.Info.Plain != "" || m.image == nil || !m.image.initialized {
			t.Fatalf("no image: %q", m.Info.Plain)
		}
		var all sync.WaitGroup
		for range 4 {
			ours, _ := pair(t)
			all.Go(func() {
				for range 2 * warmInstances {
					if _, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err != nil {
						t.Error(err)
					}
					none := func(string) (string, bool) { return "", false }
					if err := m.Configure(t.Context(), none, func(int, string) {}, Limits{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
	})
}

// TestWarm takes an instance that was made ahead, and another while none is.
func TestWarm(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := load(t, r, "image")
		ours, _ := pair(t)
		var waiting []*instance
		for range warmInstances { // all that wait at once, received as they are made
			waiting = append(waiting, <-m.warm.ready)
		}
		for _, i := range waiting {
			if !i.initialized || i.Memory().Size() != 2*pageSize {
				t.Errorf("initialized: %v, %d bytes of memory", i.initialized, i.Memory().Size())
			}
			i.close(t.Context())
		}
		if _, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err != nil {
			t.Error(err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
		_, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{})
		wantError(t, err, KindInternal, prefix("image", module(t, "image"))+"the module is closed")
	})
}

// TestWarmLimit gives an instance that was made ahead the limit of the run that takes it.
func TestWarmLimit(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		m := load(t, r, "image")
		ours, _ := pair(t)
		for pages, want := range map[uint32]string{1: "its memory begins with 2 pages of 64 KiB, the limit is 1", 3: "trap: out of bounds memory access in run"} {
			for range 2 * warmInstances {
				_, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{Pages: pages})
				kind := KindLoad
				if pages == 3 { // it writes where it could not grow to
					kind = KindTrap
				}
				wantError(t, err, kind, prefix("image", module(t, "image"))+want)
			}
		}
	})
}

// TestPlain runs modules of which no image can be made: _initialize runs in every
// instance, or fails as it would.
func TestPlain(t *testing.T) {
	tests := []struct {
		name, plain string
		err         string // of a run
		kind        Kind
	}{
		{"plain_log", "it calls the host while it initializes", "", 0},
		{"plain_print", "it calls the host while it initializes", "", 0},
		{"plain_start", "it has a start function", "", 0},
		{"plain_table", "it changes its tables", "", 0},
		{"plain_data", "it copies data segments itself", "", 0},
		{"plain_ref", "a global refers to something outside of the memory", "", 0},
		{"plain_exit", "trap: it exited with status 3", "trap: it exited with status 3 in $3", KindTrap},
		{"plain_segment", "a data segment does not fit the memory", "trap: data[0]: out of bounds memory access", KindTrap},
		{"echo", "", "", 0}, // which has no _initialize
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				m := load(t, r, tt.name)
				if m.Info.Plain != tt.plain || m.image != nil && m.image.initialized {
					t.Errorf("plain because %q, want %q", m.Info.Plain, tt.plain)
				}
				for range 2 {
					ours, peer := pair(t)
					if _, err := peer.Write([]byte("x\n")); err != nil {
						t.Fatal(err)
					}
					_, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{})
					if tt.err != "" {
						wantError(t, err, tt.kind, prefix(tt.name, module(t, tt.name))+tt.err)
					} else if err != nil {
						t.Error(err)
					}
				}
			})
		}
	})
}

// TestImageWithoutMapping gives instances copies, as on systems that cannot map an
// image, and looks at what they leave in the pool.
func TestImageWithoutMapping(t *testing.T) {
	var pool memoryPool
	kept := bytes.Repeat([]byte("image"), 3*pageSize/5+1)[:3*pageSize]
	i := &image{contents: contents{bytes: bytes.Clone(kept)}, size: uint64(len(kept))}
	for range 3 {
		m := &memory{pool: &pool, image: i, limit: 64 * pageSize, max: 64 * pageSize}
		m.Reallocate(pageSize) // what the module itself begins with
		b := m.Reallocate(i.size)
		if !bytes.Equal(b, kept) {
			t.Fatal("an instance does not begin with the image")
		}
		b = m.Reallocate(4 * pageSize)
		if !bytes.Equal(b[:len(kept)], kept) || bytes.Count(b[len(kept):], []byte{0}) != pageSize {
			t.Fatal("what lies behind the image is not zero")
		}
		for at := range b {
			b[at] = 0xaa
		}
		if m.Reallocate(65*pageSize) != nil {
			t.Error("memory beyond the limit")
		}
		m.Free()

		// One that is given up before it has all of the image.
		m = &memory{pool: &pool, image: i, limit: 64 * pageSize, max: 64 * pageSize}
		m.Reallocate(pageSize)
		m.Free()
		free, class := pool.get(4 * pageSize)
		if bytes.Count(free, []byte{0}) != len(free) {
			t.Fatal("what is in the pool is not zero")
		}
		pool.put(free, class)
	}
	if !bytes.Equal(i.bytes, kept) {
		t.Error("the image changed")
	}
}
