package daemon

import (
	"os"
	"runtime/debug"
	"sync"
)

// heapFloor is how much the heap may grow before the first garbage collection, and
// how much it may grow between two while little is in use, in bytes.
const heapFloor = 32 << 20

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
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	ballast.Do(func() {
		ballast.memory = make([]byte, heapFloor/2)
		debug.SetGCPercent(100)
	})
}
