package relay

import "sync"

// BufferSize is what one read or write system call moves at most, in bytes. It
// holds three full TLS records and a little, so a bulk transfer pays one system
// call for several records.
const BufferSize = 64 << 10

type buffer [BufferSize]byte

// buffers lends read and write buffers. An idle connection holds none.
var buffers = sync.Pool{New: func() any { return new(buffer) }}
