package logging

import (
	"sync"
	"time"
)

// maxQueue is the number of lines that may wait for a sink. At 100 bytes a
// line that is 0.8 MB for a sink that is stuck, at the longest lines 9 MB.
const maxQueue = 8192

// errQueue is the part of maxQueue kept for lines of level Err and worse, so
// that a flood of debug lines leaves room for the one that explains it.
const errQueue = 512

// errWait is how long a line of level Err or worse waits for room. It waits
// once: until the sink moves again, later lines are dropped at once, or a
// stuck sink would slow every failing connection down.
const errWait = 50 * time.Millisecond

// keepBatch is the largest batch buffer, in bytes, kept for reuse.
const keepBatch = 256 << 10

// A queue is the output of a sink's logrus logger: whole lines, each ended by
// a line feed, one after the other until the sink's goroutine takes them all.
// A place is reserved before a line is formatted, so Write never waits.
type queue struct {
	mu       sync.Mutex
	wake     sync.Cond // on mu: something for the goroutine
	pending  []byte
	queued   int           // lines in pending
	reserved int           // lines on their way into pending
	writing  int           // lines the goroutine has taken and not finished
	dropped  int           // lines refused since the last take
	room     chan struct{} // closed when lines are done; nil: nobody waits
	stalled  bool          // a wait for room was in vain
	kicked   bool          // run the goroutine though there is nothing to write
	closed   bool
}

// verdict is the answer to a reservation.
type verdict int

const (
	accepted verdict = iota
	dropped          // no room; counted
	refused          // closed: another sink may have taken over
)

func newQueue() *queue {
	q := new(queue)
	q.wake.L = &q.mu
	return q
}

// reserve asks for a place for one line. After accepted, Write must follow.
func (q *queue) reserve(level Level) verdict {
	limit := maxQueue
	if level > Err {
		limit -= errQueue
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed && q.full(limit) && level <= Err {
		q.awaitRoom(limit)
	}
	switch {
	case q.closed:
		return refused
	case q.full(limit):
		q.dropped++
		return dropped
	}
	q.reserved++
	return accepted
}

func (q *queue) full(limit int) bool { return q.queued+q.reserved+q.writing >= limit }

// awaitRoom waits until the queue is not full, or closed, or errWait is over.
// It is called with q.mu held and gives it up meanwhile.
func (q *queue) awaitRoom(limit int) {
	if q.stalled {
		return
	}
	timer := time.NewTimer(errWait)
	defer timer.Stop()
	for !q.closed && q.full(limit) && !q.stalled {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
			q.mu.Lock()
		case <-timer.C:
			q.mu.Lock()
			q.stalled = q.full(limit)
			return
		}
	}
}

// Write puts one line into its reserved place. It never fails.
func (q *queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	q.pending = append(q.pending, line...)
	q.reserved--
	q.queued++
	q.mu.Unlock()
	q.wake.Signal()
	return len(line), nil
}

// take waits for lines and returns all of them with the number of lines
// dropped meanwhile. The lines of the take before count as done now; used is
// their buffer. After close, and when the queue is empty, ok is false.
func (q *queue) take(used []byte) (batch []byte, dropped int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.writing > 0 {
		q.writing = 0
		q.stalled = false
		q.release()
	}
	for q.queued == 0 && q.dropped == 0 && !q.kicked && (!q.closed || q.reserved > 0) {
		q.wake.Wait()
	}
	if q.queued == 0 && q.dropped == 0 && !q.kicked {
		return nil, 0, false
	}
	if cap(used) > keepBatch {
		used = nil
	}
	batch, q.pending = q.pending, used[:0]
	q.writing, q.queued = q.queued, 0
	dropped, q.dropped = q.dropped, 0
	q.kicked = false
	return batch, dropped, true
}

// release wakes all that wait for room.
func (q *queue) release() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// kick makes take return even without a line.
func (q *queue) kick() {
	q.mu.Lock()
	q.kicked = true
	q.mu.Unlock()
	q.wake.Signal()
}

// close refuses further lines; those queued and reserved can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.release()
	q.mu.Unlock()
	q.wake.Signal()
}
