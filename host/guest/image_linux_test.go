package guest

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
)

// held counts the mappings and the files of images in this process.
func held(t *testing.T) (maps, files int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == "/memfd:guest (deleted)" {
			files++
		}
	}
	return bytes.Count(b, []byte("/memfd:guest")), files
}

// TestImageLeaks makes and closes modules, some while they run, and looks for what they
// leave mapped or open.
func TestImageLeaks(t *testing.T) {
	eachEngine(t, func(t *testing.T, _ *Runtime) {
		r, err := NewRuntime(context.Background(), RuntimeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		maps, files := held(t)
		if maps != 0 || files != 0 {
			t.Fatalf("%d mappings and %d files before", maps, files)
		}
		for range 10 {
			m := load(t, r, "image")
			// Not initialized, not granted, not loaded: each drops what it has of an image.
			load(t, r, "plain_exit")
			var all sync.WaitGroup
			for range 4 {
				ours, _ := pair(t)
				all.Go(func() {
					for range 10 {
						_, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{})
						if e, ok := err.(*Error); err != nil && (!ok || e.Reason != "the module is closed") {
							t.Error(err)
						}
					}
				})
			}
			if err := m.Close(t.Context()); err != nil {
				t.Error(err)
			}
			all.Wait()
		}
		left := load(t, r, "image") // and not closed
		if left.image == nil {
			t.Fatal("no image")
		}
		if _, files := held(t); files == 0 {
			t.Error("the count of files is wrong: an image is there")
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if maps, files := held(t); maps != 0 || files != 0 {
			t.Errorf("%d mappings and %d files are left", maps, files)
		}
	})
}

// TestMemfileIsSealed tries to change the file that instances start from.
func TestMemfileIsSealed(t *testing.T) {
	f, err := newMemfile([]byte("image"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	file, err := os.OpenFile("/proc/self/fd/"+strconv.Itoa(f.fd-1), os.O_RDWR, 0)
	if err == nil {
		defer file.Close()
		if _, err = file.Write([]byte("x")); err == nil {
			t.Error("it can be written")
		}
		if err = file.Truncate(0); err == nil {
			t.Error("it can be truncated")
		}
	}
	a, b := f.mapping(1<<20), f.mapping(0)
	defer unmap(a)
	defer unmap(b)
	copy(a, "other")
	if string(b) != "image" || a[5] != 0 || len(a) != 1<<20 {
		t.Errorf("a mapping shows %q", b)
	}
}
