package record

import (
	"testing"
)

func benchmark(b *testing.B, run func(b *testing.B, key func() *Key)) {
	for _, name := range []string{"1.2 AES-128-GCM", "1.3 AES-128-GCM", "1.3 AES-256-GCM", "1.3 ChaCha20"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(MaxPlaintext)
			b.ReportAllocs()
			run(b, kinds[name])
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	benchmark(b, func(b *testing.B, key func() *Key) {
		k, content, room := key(), make([]byte, MaxPlaintext), make([]byte, 0, MaxRecord)
		for b.Loop() {
			if _, err := k.Seal(room, ApplicationData, content); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	benchmark(b, func(b *testing.B, key func() *Key) {
		rec, _ := key().Seal(nil, ApplicationData, make([]byte, MaxPlaintext))
		k, room := key(), make([]byte, len(rec))
		for b.Loop() {
			copy(room, rec)
			k.seq = 0
			if _, _, err := k.Open(room); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkKeyUpdate(b *testing.B) {
	b.ReportAllocs()
	k := kinds["1.3 AES-128-GCM"]()
	for b.Loop() {
		if err := k.Update(); err != nil {
			b.Fatal(err)
		}
	}
}
