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
type memory struct {
	pool  *memoryPool
	limit uint64 // bytes
	max   uint64 // bytes that the module itself declares
	bytes []byte
	class int
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
	if m.bytes == nil || size > uint64(cap(m.bytes)) {
		bytes, class := m.pool.get(size)
		copy(bytes, m.bytes)
		old, oldClass := m.bytes, m.class
		m.bytes, m.class = bytes, class
		if old != nil {
			m.pool.put(old, oldClass)
		}
	}
	// What lies between the old length and the new one is still as the pool gave it: zero.
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free implements [experimental.LinearMemory]. It may be called again: wazero does
// not free the memory of an instance whose start function failed, so the host
// always does.
func (m *memory) Free() {
	if m.bytes == nil {
		return
	}
	m.pool.put(m.bytes, m.class)
	m.bytes = nil
}
