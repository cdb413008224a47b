package guest

import (
	"context"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// BenchmarkGoGuest makes and ends instances of a guest of the Go toolchain, and runs
// whole negotiations in them, one after the other.
func BenchmarkGoGuest(b *testing.B) {
	r := newRuntime(b, false)
	m := loadGo(b, r)
	b.Run("instantiate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			i, err := m.instantiate(b.Context(), DefaultPages*pageSize)
			if err != nil {
				b.Fatal(err)
			}
			i.close(b.Context())
		}
	})
	b.Run("negotiate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := probe(b, m, "do", "year"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkGoGuestHeld has instances wait in the middle of their negotiation, and tells
// what each of them adds to the process.
func BenchmarkGoGuestHeld(b *testing.B) {
	const instances = 200
	r := newRuntime(b, false)
	m := loadGo(b, r)
	for b.Loop() {
		before := resident(b)
		release := make(chan struct{})
		var held, ended sync.WaitGroup
		held.Add(instances)
		for range instances {
			ended.Go(func() {
				h := &testHost{options: map[string]string{"option.do": "connect"}}
				h.connect = func(context.Context) (net.Conn, error) {
					held.Done()
					<-release
					ours, _ := net.Pipe()
					return ours, nil
				}
				if _, err := m.Negotiate(b.Context(), h, Limits{}); err != nil {
					b.Error(err)
				}
			})
		}
		held.Wait()
		b.ReportMetric(float64(resident(b)-before)/instances, "B/instance")
		close(release)
		ended.Wait()
	}
}

// resident is the memory of this process, after its garbage is collected.
func resident(b *testing.B) int {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		b.Fatal(err)
	}
	total := 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		// What others map too, as the image, is not counted.
		if len(fields) > 1 && (fields[0] == "Private_Dirty:" || fields[0] == "Private_Clean:") {
			kib, err := strconv.Atoi(fields[1])
			if err != nil {
				b.Fatal(err)
			}
			total += kib << 10
		}
	}
	return total
}
