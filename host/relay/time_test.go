package relay

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	testIdle  = time.Hour
	testClose = time.Minute
)

// timed runs a test on pipes and a clock of its own.
func timed(t *testing.T, f func(t *testing.T, r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := setup{pipe: true, options: Options{Idle: testIdle, Close: testClose}}.start(t)
		f(t, r)
		r.Under.Close()
		r.Plain.Close()
		r.wire.Close()
		r.plain.Close()
	})
}

// endsAfter checks how long the relay still runs and how it ends.
func endsAfter(t *testing.T, r *rig, d time.Duration, end Result) {
	t.Helper()
	start := time.Now()
	got := <-r.ended
	if took := time.Since(start); took != d || got != end {
		t.Errorf("ended after %v with %+v, want %v and %+v", took, got, d, end)
	}
}

func TestTimeoutIdle(t *testing.T) {
	t.Run("nothing moves", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			endsAfter(t, r, testIdle, Result{Idle: true})
		})
	})
	t.Run("bytes put it off", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			for range 5 {
				time.Sleep(testIdle - time.Second)
				go io.WriteString(r.plain, "x")
				want(t, r.peer, "x")
				time.Sleep(testIdle - time.Second)
				go io.WriteString(r.peer, "y")
				want(t, r.plain, "y")
			}
			endsAfter(t, r, testIdle, Result{Idle: true})
		})
	})
	t.Run("a peer that never reads", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			go io.WriteString(r.plain, "x")
			endsAfter(t, r, testIdle, Result{Idle: true})
		})
	})
}

func TestTimeoutClose(t *testing.T) {
	t.Run("after close_notify", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			r.peer.CloseWrite()
			endsAfter(t, r, testClose, Result{TLS: Closed, Slow: true})
		})
	})
	t.Run("after the plain side's end", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			r.plain.Close()
			wantEOF(t, r.peer)
			endsAfter(t, r, testClose, Result{Plain: Closed, Slow: true})
		})
	})
	t.Run("bytes put it off", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			r.peer.CloseWrite()
			for range 5 {
				time.Sleep(testClose - time.Second)
				go io.WriteString(r.plain, "x")
				want(t, r.peer, "x")
			}
			endsAfter(t, r, testClose, Result{TLS: Closed, Slow: true})
		})
	})
}

// What waits for a slow reader after a half-close is under TIMEOUTidle: a download
// that pauses longer than TIMEOUTclose loses nothing.
func TestSlowReaderAfterAHalfCloseLosesNothing(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	t.Run("TLS reader", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			r.peer.CloseWrite()
			go io.WriteString(r.plain, text)
			for i := 0; i < len(text); i += 50_000 {
				time.Sleep(10 * testClose)
				want(t, r.peer, text[i:i+50_000])
			}
			endsAfter(t, r, testClose, Result{TLS: Closed, Slow: true})
			r.counts(t, int64(len(text)), 0)
		})
	})
	t.Run("close_notify waits too", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			go func() {
				io.WriteString(r.plain, text)
				r.plain.Close()
			}()
			want(t, r.peer, text)
			time.Sleep(testIdle - time.Second)
			wantEOF(t, r.peer)
			endsAfter(t, r, testClose, Result{Plain: Closed, Slow: true})
		})
	})
	t.Run("but not for ever", func(t *testing.T) {
		timed(t, func(t *testing.T, r *rig) {
			r.peer.CloseWrite()
			go io.WriteString(r.plain, text)
			endsAfter(t, r, testIdle, Result{TLS: Closed, Idle: true})
		})
	})
}
