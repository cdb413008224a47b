package guest

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// minWait is the shortest wait: a read with a deadline that has passed does not
// look at the socket at all.
const minWait = time.Millisecond

// wait tells which of the streams can be read, by receiving what they have.
func (n *negotiation) wait(sides []*stream, timeout time.Duration) ([]bool, abi.Code) {
	readable := make([]bool, len(sides))
	look := func() bool {
		for i, s := range sides {
			readable[i] = s.r < s.w || s.err != nil
		}
		return slices.Contains(readable, true)
	}
	if look() {
		return readable, 0
	}
	until := n.until()
	if timeout >= 0 {
		if t := time.Now().Add(max(timeout, minWait)); t.Before(until) {
			until = t
		}
	}
	for _, s := range sides {
		s.room(1, &n.module.runtime.buffers)
		n.arm(s.conn, until)
	}
	// All deadlines are set by now, so that none set later undoes a wake.
	faults := make([]any, len(sides))
	receive := func(i int) {
		var err error
		defer func() {
			// A panic of crypto/tls on a goroutine of its own would end the process.
			faults[i] = recover()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
			for j, other := range sides {
				if j != i {
					n.arm(other.conn, past())
				}
			}
		}()
		err = sides[i].readOnce()
	}
	held := n.pause()
	var others sync.WaitGroup
	for i := 1; i < len(sides); i++ {
		others.Go(func() { receive(i) })
	}
	receive(0)
	others.Wait()
	for _, fault := range faults {
		if fault != nil {
			panic(fault)
		}
	}
	n.resume(held)

	if look() {
		return readable, 0
	}
	n.checkTime()
	if timeout < 0 {
		return readable, abi.Timeout
	}
	return readable, 0
}
