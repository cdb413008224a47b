package guest

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A memfile is a file in memory that nobody can change any more. The zero value is none.
type memfile struct {
	fd   int // plus one
	size int
}

// newMemfile makes a file of b, sealed: every instance of every connection to come
// starts from it.
func newMemfile(b []byte) (_ memfile, err error) {
	fd, err := unix.MemfdCreate("guest", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return memfile{}, fmt.Errorf("memfd_create: %w", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	for rest := b; len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err != nil {
			return memfile{}, fmt.Errorf("write: %w", err)
		}
		rest = rest[n:]
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return memfile{}, fmt.Errorf("sealing: %w", err)
	}
	return memfile{fd: fd + 1, size: len(b)}, nil
}

// mapping is private memory of at least size bytes that begins with the file's bytes,
// each page of which is copied when it is first written. It is nil if there is none to
// be had.
func (f memfile) mapping(size int) []byte {
	size = max(size, f.size)
	if f.fd == 0 || size == 0 {
		return nil
	}
	// Address space alone: pages are counted when they are used, not when they are mapped.
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil || f.size == 0 {
		return b
	}
	_, err = unix.MmapPtr(f.fd-1, 0, unsafe.Pointer(unsafe.SliceData(b)), uintptr(f.size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		unmap(b)
		return nil
	}
	return b
}

// unmap gives back what mapping returned, and what the guest wrote there with it.
func unmap(b []byte) {
	if err := unix.Munmap(b); err != nil {
		panic("munmap: " + err.Error()) // a mapping that is not ours: nothing holds any more
	}
}

// read copies the file's bytes.
func (f memfile) read(b []byte) {
	if f.fd == 0 {
		return
	}
	for at := 0; at < min(len(b), f.size); {
		n, err := unix.Pread(f.fd-1, b[at:], int64(at))
		if err != nil || n == 0 {
			panic(fmt.Sprintf("reading a file in memory: %d bytes, %v", n, err))
		}
		at += n
	}
}

func (f memfile) close() {
	if f.fd != 0 {
		unix.Close(f.fd - 1)
	}
}
