// Package relay moves bytes between a TLS side and a plain side until both are
// done, and says how it ended.
//
// Half-closes pass through in both directions: a FIN on the plain side becomes a
// close_notify, a close_notify becomes a FIN, and the other direction goes on.
// An idle connection holds two goroutines and no buffer.
package relay

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/fault"
)

// Options bound a relay. Zero ends it at the first pause.
type Options struct {
	Idle time.Duration // stunnel's TIMEOUTidle: without a byte while both sides are open
	// Close is TIMEOUTclose: without a byte once one side is done. While bytes wait
	// for a side that does not take them, Idle holds: a slow reader loses nothing.
	Close time.Duration
}

// Counters count a relay's bytes; they may be read while it runs.
type Counters struct {
	ToTLS    atomic.Int64
	ToSocket atomic.Int64
}

// A TLS is the encrypted side: a *tls.Conn, or what speaks TLS where crypto/tls cannot.
// Read and Write may be called at the same time, and so may CloseWrite, which sends
// close_notify. Read gives io.EOF for the peer's close_notify, hands on the socket's own
// errors as they are, and can be called again after a temporary one.
//
// One with a method Renegotiates that gives false does no handshake under the relay, and
// can stop reading at any record.
type TLS interface {
	io.ReadWriter
	CloseWrite() error
}

// A Relay joins two sides. Prepare the fields, then call Run once.
type Relay struct {
	TLS      TLS
	Under    *Socket // below TLS; framed
	Plain    *Socket
	ToTLS    []byte // bytes that a negotiation read from the plain side and left
	ToPlain  []byte // the same, decrypted
	Options  Options
	Counters *Counters

	start   time.Time
	last    atomic.Int64 // when a byte last moved, nanoseconds after start
	half    atomic.Bool  // one direction is done
	writing atomic.Int32 // directions that have bytes which the other side does not take yet
	stop    atomic.Int32 // why the watchdog ended it
	mu      sync.Mutex   // of the fields below
	timer   *time.Timer
	done    bool
	result  Result
}

// Reasons in stop.
const (
	stopIdle     = iota + 1
	stopSlow     // TIMEOUTclose
	stopCanceled // Stop
	stopCut      // one side's end or failure ended both directions
)

// Run relays until both directions are done. It closes neither side: who called
// it knows whether a reset is due.
func (r *Relay) Run() Result {
	r.Under.nowait = true
	if t, ok := r.TLS.(interface{ Renegotiates() bool }); ok && !t.Renegotiates() {
		r.Under.steady = true
		r.Under.shaking = settled
	}
	r.start = time.Now()
	r.mu.Lock()
	r.timer = time.AfterFunc(r.Options.Idle, r.watch)
	r.mu.Unlock()
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		defer r.rescue()
		r.tlsToPlain()
	}()
	func() {
		defer r.rescue()
		r.plainToTLS()
	}()
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	r.timer.Stop()
	switch r.stop.Load() {
	case stopIdle:
		r.result.Idle = true
	case stopSlow:
		r.result.Slow = true
	case stopCanceled:
		r.result.Canceled = true
	}
	return r.result
}

// rescue ends the relay when a direction panics, instead of the whole process: what
// makes crypto/tls panic may be a peer's doing.
func (r *Relay) rescue() {
	if p := recover(); p != nil {
		r.mu.Lock()
		r.result.Panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
		r.mu.Unlock()
		r.abort(stopCut)
	}
}

// plainToTLS moves bytes until the plain side's FIN, then sends close_notify.
func (r *Relay) plainToTLS() {
	if !r.sendTLS(r.ToTLS) {
		return
	}
	r.ToTLS = nil
	for {
		b, err := r.Plain.next()
		if err != nil {
			r.plainEnd(err)
			return
		}
		if !r.sendTLS(b) {
			r.Plain.release()
			return
		}
		r.Plain.release()
	}
}

// sendTLS encrypts and sends; several records leave in one system call.
func (r *Relay) sendTLS(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	r.writing.Add(1)
	defer r.writing.Add(-1)
	many := len(b) > 1<<14
	if many {
		r.Under.Cork()
	}
	_, err := r.TLS.Write(b)
	if many {
		if e := r.Under.Uncork(); err == nil {
			err = e
		}
	}
	if err != nil {
		r.fail(nil, err)
		return false
	}
	r.Counters.ToTLS.Add(int64(len(b)))
	r.touch()
	return true
}

// plainEnd passes the plain side's end on.
func (r *Relay) plainEnd(err error) {
	if err != io.EOF {
		r.fail(err, nil)
		return
	}
	r.mu.Lock()
	r.result.Plain = Closed
	r.mu.Unlock()
	r.writing.Add(1)
	err = r.TLS.CloseWrite()
	r.writing.Add(-1)
	// A peer that has said close_notify may be gone already, which is no error.
	if err != nil && !r.tlsClosed() {
		r.fail(nil, err)
		return
	}
	r.halfClosed()
}

func (r *Relay) tlsClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result.TLS == Closed
}

// tlsToPlain moves bytes until close_notify, then sends a FIN.
func (r *Relay) tlsToPlain() {
	if !r.sendPlain(r.ToPlain) {
		return
	}
	r.ToPlain = nil
	for {
		if err := r.Under.awaitRecord(); err != nil {
			if r.leftAfterEnd(err) {
				r.tlsTruncated()
				return
			}
			r.fail(nil, err)
			return
		}
		b := buffers.Get().(*buffer)
		n, err := r.readTLS(b[:])
		ok := r.sendPlain(b[:n])
		buffers.Put(b)
		if !ok {
			return
		}
		if err != nil {
			r.tlsEnd(err)
			return
		}
	}
}

// readTLS decrypts as many buffered records as fit.
func (r *Relay) readTLS(b []byte) (n int, err error) {
	for len(b)-n >= 1<<14 && (n == 0 || r.Under.hasRecord()) {
		m, err := r.TLS.Read(b[n:])
		n += m
		if err == errAgain {
			return n, nil // a record that held no data: a session ticket, say
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (r *Relay) sendPlain(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	r.writing.Add(1)
	defer r.writing.Add(-1)
	if _, err := r.Plain.Write(b); err != nil {
		r.fail(err, nil)
		return false
	}
	r.Counters.ToSocket.Add(int64(len(b)))
	r.touch()
	return true
}

// leftAfterEnd says whether an error is the reset that a TLS peer's kernel sends
// when the peer closes without reading our close_notify: the plain side is done, so
// many programs do that, and it is an end like one without close_notify.
func (r *Relay) leftAfterEnd(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result.Plain == Closed && fault.Is(err, syscall.ECONNRESET)
}

// tlsEnd passes the TLS side's end on.
func (r *Relay) tlsEnd(err error) {
	switch {
	case err != io.EOF:
		r.fail(nil, err)
	case r.Under.Truncated():
		r.tlsTruncated()
	default:
		r.setTLS(Closed)
		// The FIN may fail only where the socket is dead already, and then the other
		// direction finds out; or where the plain side is a pipe or a terminal.
		err := r.Plain.CloseWrite()
		r.halfClosed()
		if errors.Is(err, errors.ErrUnsupported) {
			r.closeWhole()
		}
	}
}

// closeWhole ends both directions where the plain side has no half to close: it is closed
// outright, as in stunnel. What is on its way to the TLS side has TIMEOUTclose to arrive.
func (r *Relay) closeWhole() {
	if !r.stop.CompareAndSwap(0, stopCut) {
		return
	}
	r.Plain.Abort()
	r.Under.Conn.SetWriteDeadline(time.Now().Add(r.Options.Close))
	r.TLS.CloseWrite() // a peer that is gone need not hear it
	r.Under.Abort()
}

// tlsTruncated ends both directions, as stunnel does: nobody is there to read what
// the plain side might still say.
func (r *Relay) tlsTruncated() {
	r.setTLS(Truncated)
	r.Plain.CloseWrite()
	r.abort(stopCut)
}

func (r *Relay) setTLS(end End) {
	r.mu.Lock()
	r.result.TLS = end
	r.mu.Unlock()
}

// fail records an error and ends both directions.
func (r *Relay) fail(plain, tls error) {
	r.mu.Lock()
	if r.stop.Load() == 0 {
		if plain != nil {
			r.result.Plain, r.result.PlainErr = Failed, plain
		}
		if tls != nil {
			r.result.TLS, r.result.TLSErr = Failed, tls
		}
	}
	r.mu.Unlock()
	r.abort(stopCut)
}
