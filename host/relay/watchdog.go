package relay

import "time"

// Stop ends the relay at once, from any goroutine.
func (r *Relay) Stop() { r.abort(stopCanceled) }

func (r *Relay) abort(why int32) {
	if r.stop.CompareAndSwap(0, why) {
		r.Under.Abort()
		r.Plain.Abort()
	}
}

// touch notes that bytes moved.
func (r *Relay) touch() { r.last.Store(int64(time.Since(r.start))) }

// watch runs when the bound may have passed. The timer is not moved at each
// byte, which would cost more than the byte; it looks when it fires.
func (r *Relay) watch() {
	limit, why := r.Options.Idle, int32(stopIdle)
	half := r.half.Load()
	if half && r.writing.Load() == 0 {
		limit, why = r.Options.Close, stopSlow
	}
	rest := limit - (time.Since(r.start) - time.Duration(r.last.Load()))
	if half {
		rest = min(rest, r.Options.Close) // the write may be done by then
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.done:
	case rest > 0:
		r.timer.Reset(rest)
	default:
		r.abort(why)
	}
}

// halfClosed starts TIMEOUTclose, when the first direction is done.
func (r *Relay) halfClosed() {
	r.touch()
	r.half.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		r.timer.Reset(r.Options.Close)
	}
}
