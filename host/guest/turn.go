package guest

import (
	"crypto/rand"
	"fmt"
	"runtime"
	"slices"
)

const (
	// callWork is what a host call counts for in work, in instructions: about as much
	// time as it takes to come to the host and go back.
	callWork = 250

	// movedShift makes one instruction of eight bytes that a host call copies.
	movedShift = 3

	// workPart is how many bytes are drawn, hashed or searched at once. Go draws and hashes
	// them where a goroutine cannot be preempted, and garbage collection waits.
	workPart = 64 << 10
)

// newTurns makes the places of guests that compute for longer than a slice. There is
// one fewer than processors, so that however many connections run such a guest, the
// rest of the daemon keeps a processor: with a place for each of them every other
// goroutine would stand in a queue behind all of them.
func newTurns() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)) }

// yield ends a slice: others get their turn, and the guest waits for its next.
func (n *negotiation) yield() {
	n.worked = 0
	n.checkTime()
	n.pause()
	runtime.Gosched()
	n.resume(true)
}

// pause gives the guest's place up, if it has one, before the host waits for
// something on its behalf and when it ends.
func (n *negotiation) pause() (held bool) {
	if held = n.turn; held {
		n.turn = false
		<-n.module.runtime.turns
	}
	return held
}

// resume takes a place again after a pause that gave one up.
func (n *negotiation) resume(held bool) {
	if held {
		n.module.runtime.turns <- struct{}{}
		n.turn = true
	}
}

// work notes what the host does for a guest, in instructions. A guest that only calls
// spends the host's time and no fuel: without this it would never yield, nor see that
// its own time is over.
func (n *negotiation) work(units int) {
	if n.worked += units; n.worked >= slice {
		n.yield()
	}
}

// move notes bytes that the host copies for a guest. They have a budget of their own,
// as large as the fuel.
func (n *negotiation) move(bytes int) {
	units := bytes >> movedShift
	if n.moved += uint64(units); n.moved > n.limits.Fuel {
		panic(&halt{kind: KindFuel, reason: fmt.Sprintf("host calls moved more than %d bytes", n.limits.Fuel<<movedShift)})
	}
	n.work(units)
}

// workOn notes bytes that the host looks at one by one, or hashes: an instruction each,
// eight times what copying costs.
func (n *negotiation) workOn(b []byte) { n.move(len(b) << movedShift) }

// fillRandom fills b with random bytes.
func (n *negotiation) fillRandom(b []byte) {
	for part := range slices.Chunk(b, workPart) {
		n.move(len(part))
		_, _ = rand.Read(part) // which never fails: it ends the process instead
	}
}
