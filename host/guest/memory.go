package guest

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"
)

const (
	pageSize = 64 << 10

	// pooledClasses is how many sizes of memory are kept for the next connection:
	// 1, 2, 4 ... 32 pages. Larger ones are rare, and left to the garbage collector.
	pooledClasses = 6
)

// A memoryPool keeps the memories of instances that ended: 64 KiB from the heap
// for every connection would be most of what an instance costs.
//
// Every byte in the pool is zero. A memory is cleared when its instance ends, all
// that the instance could reach, before anybody else can have it: otherwise a
// guest would find the passwords and the plaintext of another connection in
// memory that WebAssembly promises to be zero.
type memoryPool struct {
	classes [pooledClasses]sync.Pool // of *byte: the first of 1<<class pages
}

// get returns zeroed bytes for size, with the class that they go back to, or -1.
func (p *memoryPool) get(size uint64) ([]byte, int) {
	pages := (size + pageSize - 1) / pageSize
	class := 0
	if pages > 1 {
		class = bits.Len64(pages - 1)
	}
	// Capacity doubles, so that a guest that grows page by page is not copied each time.
	capacity := pageSize << class
	if class >= pooledClasses {
		return make([]byte, size, capacity), -1
	}
	if first, ok := p.classes[class].Get().(*byte); ok {
		return unsafe.Slice(first, capacity)[:size], class
	}
	return make([]byte, size, capacity), class
}

// put takes back bytes that get returned with that class and that nobody uses any more.
func (p *memoryPool) put(b []byte, class int) {
	if class < 0 {
		return
	}
	clear(b)
	p.classes[class].Put(unsafe.SliceData(b))
}

// A memory is the linear memory of one instance. It is the allocator that wazero
// asks when it instantiates, and the memory that it then holds: a guest has one.
//
// It begins with its image's contents, mapped so that pages are copied when they are
// written, or copied whole into bytes of the pool. What the guest grows it by beyond
// that comes from the pool too.
type memory struct {
	pool  *memoryPool
	image *image // what it begins with; nil: zeroes
	limit uint64 // bytes
	max   uint64 // bytes that the module itself declares

	bytes  []byte
	mapped []byte // what bytes is the beginning of; nil: bytes come from the pool
	class  int    // of the pool
	filled uint64 // bytes that are not zero any more, at the beginning
}

// Allocate implements [experimental.MemoryAllocator].
func (m *memory) Allocate(_, max uint64) experimental.LinearMemory {
	m.max = max
	return m
}

// Reallocate implements [experimental.LinearMemory]. Beyond the limit it returns
// nil, on which memory.grow gives the guest -1.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.limit || size > m.max {
		return nil
	}
	if m.bytes == nil && m.image != nil {
		m.begin()
	}
	if m.bytes == nil || size > uint64(cap(m.bytes)) {
		bytes, class := m.pool.get(size)
		copy(bytes, m.bytes)
		m.Free()
		m.bytes, m.class = bytes, class
	}
	// What lies between the old length and the new one is still as it was given: the
	// image's, or zero.
	m.bytes = m.bytes[:size]
	m.filled = max(m.filled, size)
	return m.bytes
}

// begin takes the image's contents in.
func (m *memory) begin() {
	if m.mapped = m.image.mapping(); m.mapped != nil {
		m.bytes = m.mapped[:m.image.size]
		return
	}
	m.bytes, m.class = m.pool.get(m.image.size)
	m.filled = m.image.size
	m.image.copyTo(m.bytes)
}

// Free implements [experimental.LinearMemory]. It may be called again: wazero does
// not free the memory of an instance whose start function failed, so the host
// always does.
func (m *memory) Free() {
	switch {
	case m.mapped != nil:
		unmap(m.mapped)
	case m.bytes != nil:
		m.pool.put(m.bytes[:m.filled], m.class)
	}
	m.bytes, m.mapped, m.filled = nil, nil, 0
}
