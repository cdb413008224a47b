//go:build cgo

package token

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/pkcs11"
)

// BenchmarkSign has 1 to 64 connections at once sign with one key, of SoftHSM, which
// computes, and of a token that takes 5 ms for each signature and makes as many at once as
// it has sessions. For comparison, one session that all have to wait for.
func BenchmarkSign(b *testing.B) {
	h := hsm(b)
	for _, token := range []struct{ name, delay string }{{"softhsm", "0"}, {"5ms", "5000"}} {
		for _, pool := range []string{"pool", "one"} {
			for _, n := range []int{1, 8, 64} {
				b.Run(fmt.Sprintf("%s/%s/%d", token.name, pool, n), func(b *testing.B) {
					h.Do(b, "delay", token.delay)
					defer h.Undo("delay")
					k := open(b, "p256")
					var one sync.Mutex
					var next atomic.Int64
					var wg sync.WaitGroup
					b.ResetTimer()
					for range n {
						wg.Go(func() {
							for next.Add(1) <= int64(b.N) {
								if pool == "one" {
									one.Lock()
								}
								err := sign(k)
								if pool == "one" {
									one.Unlock()
								}
								if err != nil {
									b.Error(err)
								}
							}
						})
					}
					wg.Wait()
				})
			}
		}
	}
}

// BenchmarkBare signs by the module's calls alone, to tell what a Key adds.
func BenchmarkBare(b *testing.B) {
	hsm(b)
	k := open(b, "p256")
	digest := make([]byte, 32)
	err := k.token.do(func(s session) error {
		handle, err := k.find(s)
		if err != nil {
			return err
		}
		for b.Loop() {
			if err := k.token.m.ctx.SignInit(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil)}, handle); err != nil {
				return err
			}
			if _, err := k.token.m.ctx.Sign(s.handle, digest); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
