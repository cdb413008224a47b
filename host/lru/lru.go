// Package lru keeps the values that were used last, as many as there is room and time for.
package lru

import (
	"sync"
	"time"
)

// MaxBytes bounds what one cache holds, in bytes of its values, also where their number has
// no limit: peers decide how much they leave behind.
const MaxBytes = 64 << 20

// A Cache holds the values that were used last. The zero value is empty and ready. It is
// safe for concurrent use.
type Cache[K comparable, V any] struct {
	mu    sync.Mutex
	nodes map[K]*node[K, V]
	ring  node[K, V] // its next is the node used last, its prev the one longest unused
	bytes int
}

type node[K comparable, V any] struct {
	prev, next *node[K, V]
	key        K
	value      V
	size       int
	until      time.Time
}

// Get gives a value whose time is not over, and marks it as used.
func (c *Cache[K, V]) Get(key K, now time.Time) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[key]
	if n == nil {
		return value, false
	}
	if !now.Before(n.until) {
		c.drop(n)
		return value, false
	}
	n.unlink()
	c.first(n)
	return n.value, true
}

// Put keeps a value of some size in bytes until a time, and lets those go that were unused
// longest until limit are left, or those that MaxBytes has room for; limit 0 is none.
func (c *Cache[K, V]) Put(key K, value V, size, limit int, now, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.nodes[key]; old != nil {
		c.drop(old)
	}
	if c.nodes == nil {
		c.nodes = map[K]*node[K, V]{}
		c.ring.prev, c.ring.next = &c.ring, &c.ring
	}
	n := &node[K, V]{key: key, value: value, size: size, until: until}
	c.nodes[key] = n
	c.bytes += size
	c.first(n)
	for limit > 0 && len(c.nodes) > limit || c.bytes > MaxBytes || !now.Before(c.ring.prev.until) {
		c.drop(c.ring.prev)
		if len(c.nodes) == 0 {
			return
		}
	}
}

// Remove forgets a value.
func (c *Cache[K, V]) Remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes[key]; n != nil {
		c.drop(n)
	}
}

// Len is how many values are held, of how many bytes.
func (c *Cache[K, V]) Len() (values, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.nodes), c.bytes
}

func (c *Cache[K, V]) first(n *node[K, V]) {
	n.prev, n.next = &c.ring, c.ring.next
	n.prev.next, n.next.prev = n, n
}

func (c *Cache[K, V]) drop(n *node[K, V]) {
	n.unlink()
	delete(c.nodes, n.key)
	c.bytes -= n.size
}

func (n *node[K, V]) unlink() {
	n.prev.next, n.next.prev = n.next, n.prev
}
