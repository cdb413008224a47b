package daemon

import (
	"os"
	"runtime/debug"
	"sync"
)

// heapFloor is how much the heap may grow before the first garbage collection, and
// how much it may grow between two while little is in use, in bytes.
const heapFloor = 32 << 20

// startFloor is what the heap may grow to before the first collection while a daemon
// starts, in bytes. Compiling all bundled guests takes half of it, once.
const startFloor = 64 << 20

// ballast is memory that is never touched, and so never in core.
var ballast struct {
	sync.Once
	memory []byte
}

// RaiseHeapFloor makes garbage collection rarer in a process that holds little. A
// proxy at rest has a heap of two megabytes, and Go collects when it has doubled:
// under load that is a hundred times a second, each costing all connections
// something. An untouched block counts for the collector's goal and takes no memory.
// GOGC and GOMEMLIMIT in the environment are an operator's word and are left alone.
func RaiseHeapFloor() {
	if heapIsOperators() {
		return
	}
	ballast.Do(func() {
		ballast.memory = make([]byte, heapFloor/2)
		debug.SetGCPercent(100)
	})
}

func heapIsOperators() bool { return os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" }

// PutOffCollection raises the floor further for the time of a start, whose garbage is one
// heap's worth of a compiler's: a collection in the middle costs a tenth of all. What it
// returns ends that.
func PutOffCollection() (end func()) {
	RaiseHeapFloor()
	if heapIsOperators() {
		return func() {}
	}
	debug.SetGCPercent(100 * (startFloor - heapFloor/2) / (heapFloor / 2))
	return func() { debug.SetGCPercent(100) }
}
