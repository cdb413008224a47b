package ocsp

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/lru"
)

// A key is what an answer is kept under.
type key struct {
	subject [sha256.Size]byte // the issuer's name and key, and the certificate's serial number
	source  string            // a responder's URL, or a staple's digest
}

// keyOf is called for every handshake, and takes no memory.
func keyOf(cert, issuer *x509.Certificate, source string) key {
	var room [512]byte // enough for most
	text := append(room[:0], issuer.RawSubject...)
	text = append(text, issuer.RawSubjectPublicKeyInfo...) // DER, as the name: where it ends is in its bytes
	text = append(text, byte(cert.SerialNumber.Sign()))
	for _, word := range cert.SerialNumber.Bits() {
		text = binary.LittleEndian.AppendUint64(text, uint64(word))
	}
	return key{sha256.Sum256(text), source}
}

// A cache keeps conclusive answers until their nextUpdate, the most recently used ones,
// and has everybody who asks the same at the same time wait for one question.
// Its zero value is empty.
type cache struct {
	kept lru.Cache[key, *Answer]

	mu      sync.Mutex
	flights map[key]*flight
}

// A flight is a question under way.
type flight struct {
	done    chan struct{} // closed when answer or err is there
	waiters int           // none: cancel
	cancel  context.CancelFunc
	answer  *Answer
	err     error
}

// get gives what is kept and still current; nil: nothing.
func (c *cache) get(k key, now time.Time) *Answer {
	a, _ := c.kept.Get(k, now)
	return a
}

// put keeps an answer if it is worth it: an inconclusive one is asked for again, and one
// without nextUpdate is good for nobody but who asked (RFC 6960, section 4.2.2.1).
func (c *cache) put(k key, a *Answer, now time.Time) {
	if a.Status != Unknown && now.Before(a.NextUpdate) {
		c.kept.Put(k, a, 0, maxAnswers, now, a.NextUpdate)
	}
}

// ask gives what is kept, or asks by fetch, once for all who ask the same meanwhile. The
// question goes on as long as somebody waits for it, whoever began it.
func (c *cache) ask(ctx context.Context, k key, now func() time.Time, fetch func(context.Context) (*Answer, error)) (*Answer, error) {
	c.mu.Lock()
	if a := c.get(k, now()); a != nil {
		c.mu.Unlock()
		return a, nil
	}
	f, ok := c.flights[k]
	if !ok {
		f = &flight{done: make(chan struct{})}
		var flying context.Context
		flying, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		if c.flights == nil {
			c.flights = map[key]*flight{}
		}
		c.flights[k] = f
		go c.fly(flying, k, f, now, fetch)
	}
	f.waiters++
	c.mu.Unlock()

	var err error
	select {
	case <-f.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		c.land(k, f) // whoever comes now must not wait for what was cancelled
	}
	if err != nil {
		return nil, err
	}
	return f.answer, f.err
}

func (c *cache) fly(ctx context.Context, k key, f *flight, now func() time.Time, fetch func(context.Context) (*Answer, error)) {
	defer close(f.done)
	// A panic here may be a responder's doing, and would end everybody's connections.
	defer func() {
		if p := recover(); p != nil {
			f.err = fmt.Errorf("fault: %v", p)
			c.mu.Lock()
			c.land(k, f)
			c.mu.Unlock()
		}
	}()
	a, err := fetch(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	f.answer, f.err = a, err
	if err == nil {
		c.put(k, a, now())
	}
	c.land(k, f)
}

// land takes a flight off the list.
func (c *cache) land(k key, f *flight) {
	if c.flights[k] == f {
		delete(c.flights, k)
	}
}
