package session

import (
	"crypto/rand"
	"crypto/tls"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// BenchmarkHandshake compares a whole handshake with a resumed one, of both sides, for
// tickets and for ids of kept sessions.
func BenchmarkHandshake(b *testing.B) {
	for _, version := range both {
		for _, c := range []struct {
			name              string
			stateful, resumed bool
		}{{"whole", false, false}, {"ticket", false, true}, {"id", true, true}} {
			b.Run(tls.VersionName(version)+"/"+c.name, func(b *testing.B) {
				r := newRig(b, version)
				conf := settings("x")
				conf.Stateful = c.stateful
				v := NewStore().Begin().Server(conf)
				server := &tls.Config{Certificates: []tls.Certificate{r.cert}}
				v.Configure(server)
				r.shakeWith(server)
				for b.Loop() {
					if !c.resumed {
						r.client.ClientSessionCache = &lastSession{}
					}
					if r.shakeWith(server) != c.resumed {
						b.Fatal("not what is measured")
					}
				}
			})
		}
	}
}

// BenchmarkTicket makes and takes a ticket without the handshake around it.
func BenchmarkTicket(b *testing.B) {
	for name, stateful := range map[string]bool{"ticket": false, "id": true} {
		b.Run(name, func(b *testing.B) {
			conf := settings("x")
			conf.Stateful = stateful
			v := NewStore().Begin().Server(conf)
			r := newRig(b, tls.VersionTLS13)
			r.expect(v, false, "at first")
			state, err := v.Handshake(nil).unwrap(r.client.ClientSessionCache.(*lastSession).ticket(), tls.ConnectionState{})
			if err != nil || state == nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				h := v.Handshake(nil)
				ticket, err := h.wrap(tls.ConnectionState{Version: tls.VersionTLS13}, state)
				if err != nil {
					b.Fatal(err)
				}
				if s, err := h.unwrap(ticket, tls.ConnectionState{}); s == nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkKept tells what a kept session, and a remembered target, hold in memory.
func BenchmarkKept(b *testing.B) {
	const many = 50_000
	measure := func(b *testing.B, put func(e *entry, i int, now time.Time)) {
		for b.Loop() {
			var before, after runtime.MemStats
			e := &entry{}
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range many {
				put(e, i, time.Now())
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/many, "B/kept")
			runtime.KeepAlive(e)
		}
	}
	b.Run("session", func(b *testing.B) {
		measure(b, func(e *entry, _ int, now time.Time) {
			var id [idSize]byte
			rand.Read(id[:])
			text := make([]byte, recordHeader+75)
			e.states.Put(id, text, len(text), 0, now, now.Add(time.Hour))
		})
	})
	b.Run("target", func(b *testing.B) {
		measure(b, func(e *entry, i int, now time.Time) {
			var t tag
			rand.Read(t[:])
			e.targets.Put(t, "192.0.2.1:"+strconv.Itoa(i), 30, 0, now, now.Add(time.Hour))
		})
	})
	b.Run("configuration of a handshake's own", func(b *testing.B) {
		var all []*tls.Config
		conf := &tls.Config{}
		for b.Loop() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for range many {
				all = append(all, conf.Clone())
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/many, "B/kept")
			runtime.KeepAlive(all)
			all = nil
		}
	})
}
