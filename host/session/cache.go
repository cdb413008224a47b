package session

import (
	"sync"
	"time"
)

// maxCacheBytes bounds what one cache of a service holds, in bytes of its values, also
// where sessionCacheSize sets no limit: state with a client's certificates is kilobytes,
// and clients decide how much of it they leave behind.
const maxCacheBytes = 64 << 20

// A cache holds the values that were used last. The zero value is empty and ready. It is
// safe for concurrent use.
type cache[K comparable, V any] struct {
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

// get gives a value that is still good, and marks it as used.
func (c *cache[K, V]) get(key K, now time.Time) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[key]
	if n == nil {
		return value, false
	}
	if now.After(n.until) {
		c.drop(n)
		return value, false
	}
	n.unlink()
	c.first(n)
	return n.value, true
}

// put keeps a value of some size in bytes, and lets those go that were unused longest
// until limit are left, or those that maxCacheBytes has room for; limit 0 is none.
func (c *cache[K, V]) put(key K, value V, size, limit int, now, until time.Time) {
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
	for limit > 0 && len(c.nodes) > limit || c.bytes > maxCacheBytes || now.After(c.ring.prev.until) {
		c.drop(c.ring.prev)
		if len(c.nodes) == 0 {
			return
		}
	}
}

// remove forgets a value.
func (c *cache[K, V]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes[key]; n != nil {
		c.drop(n)
	}
}

func (c *cache[K, V]) first(n *node[K, V]) {
	n.prev, n.next = &c.ring, c.ring.next
	n.prev.next, n.next.prev = n, n
}

func (c *cache[K, V]) drop(n *node[K, V]) {
	n.unlink()
	delete(c.nodes, n.key)
	c.bytes -= n.size
}

func (n *node[K, V]) unlink() {
	n.prev.next, n.next.prev = n.next, n.prev
}
