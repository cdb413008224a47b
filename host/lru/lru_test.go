package lru

import (
	"testing"
	"time"
)

func TestCache(t *testing.T) {
	var c Cache[int, string]
	now := time.Now()
	keep := func(key, size, limit int, at, until time.Duration) {
		c.Put(key, "value", size, limit, now.Add(at), now.Add(until))
	}
	has := func(want ...int) {
		t.Helper()
		if len(c.nodes) != len(want) {
			t.Errorf("%d values are kept, not %d", len(c.nodes), len(want))
		}
		for _, k := range want {
			if c.nodes[k] == nil {
				t.Errorf("%d is gone", k)
			}
		}
		ordered := 0
		for n := c.ring.next; n != &c.ring; n = n.next {
			ordered++
		}
		if ordered != len(want) {
			t.Errorf("%d values in order, not %d", ordered, len(want))
		}
	}
	if _, ok := c.Get(1, now); ok {
		t.Error("an empty cache has something")
	}
	c.Remove(1)
	keep(1, 1, 2, 0, time.Minute)
	keep(2, 1, 2, 0, time.Minute)
	c.Get(1, now)
	keep(3, 1, 2, 0, time.Minute)
	has(1, 3) // 2 was unused longest
	keep(3, 5, 2, 0, time.Hour)
	has(1, 3)
	if c.bytes != 6 {
		t.Errorf("%d bytes, not 6", c.bytes)
	}
	if _, ok := c.Get(1, now.Add(2*time.Minute)); ok {
		t.Error("what is over is given")
	}
	keep(4, MaxBytes-6, 0, 0, time.Hour)
	keep(5, 1, 0, 0, time.Hour)
	has(3, 4, 5)
	keep(6, 1, 0, 0, time.Hour)
	has(4, 5, 6)
	keep(7, 1, 0, 2*time.Hour, 3*time.Hour)
	has(7) // the others were over
	keep(8, MaxBytes+1, 0, 0, time.Hour)
	has()
	if c.bytes != 0 {
		t.Errorf("%d bytes in an empty cache", c.bytes)
	}
	keep(9, 1, 0, 0, time.Hour)
	has(9)
}
