// Package stunnel is what a guest of stunnel-wasm is written with, in Go: the host's
// functions, the codes that they fail with, and the sentence that ends a connection.
//
// A guest is a module that exports negotiate (a protocol) or decide (a policy), and may
// export configure, which the host calls once when it reads its configuration:
//
//	package main
//
//	import stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
//
//	//go:wasmexport negotiate
//	func negotiate() int32 { return stunnel.Status(run()) }
//
//	func run() error { return stunnel.Doing("starting TLS", stunnel.Accepted.StartTLS()) }
//
//	func main() {}
//
// It is built by
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags '-s -w' -o guest.wasm
//
// Calls block, an instance serves one connection, and a conversation reads from top to
// bottom as its RFC does. What a guest does not call is not imported: the import
// section is the truth about what it can do.
//
// Elsewhere than in a WebAssembly module the same functions act on a [Fake], so that a
// guest's logic is tested by go test.
package stunnel

import (
	"io"
	"unsafe"
)

// A Side is an end of the tunnel. It is an io.Reader and an io.Writer, but must not be
// given to something that reads ahead, as bufio does: what it would hold back at a
// handshake is plaintext, which the host refuses to hand out afterwards.
type Side int32

const (
	Accepted Side = 0 // the connection that was accepted
	Outgoing Side = 1 // the connection to the target
)

// Read reads what there is, one byte at least; io.EOF at the end of the stream.
func (s Side) Read(buf []byte) (int, error) {
	if len(buf) == 0 {
		return 0, nil
	}
	n, err := check(rawRead(int32(s), pointer(buf), length(buf)))
	if err == nil && n == 0 {
		err = io.EOF
	}
	return n, err
}

// ReadFull fills buf, or fails with [EOF].
func (s Side) ReadFull(buf []byte) error {
	_, err := check(rawReadFull(int32(s), pointer(buf), length(buf)))
	return err
}

// ReadLine reads a line into buf and returns it with its line feed. At the end of the
// stream, within a line or between two, it fails with [EOF]; a line that is longer than buf
// is [TooLong] and stays unread. See [Chomp].
func (s Side) ReadLine(buf []byte) ([]byte, error) {
	n, err := check(rawReadLine(int32(s), pointer(buf), length(buf)))
	if err == nil && n == 0 {
		err = EOF
	}
	return buf[:n], err
}

// Peek looks at the next bytes, which stay unread: as many as fit, or fewer at the end
// of the stream.
func (s Side) Peek(buf []byte) (int, error) {
	return check(rawPeek(int32(s), pointer(buf), length(buf)))
}

// PeekByte is the next byte, which stays unread; ok is false at the end of the stream.
func (s Side) PeekByte() (b byte, ok bool, err error) {
	var one [1]byte
	n, err := s.Peek(one[:])
	return one[0], n == 1, err
}

// Write writes all the bytes.
func (s Side) Write(p []byte) (int, error) {
	return check(rawWrite(int32(s), pointer(p), length(p)))
}

// WriteString is Write.
func (s Side) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// ReadableWithin tells whether something can be read within some milliseconds, the end
// of the stream included.
func (s Side) ReadableWithin(ms int) (bool, error) {
	n, err := check(rawWait(1<<s, int32(ms)))
	return n != 0, err
}

// StartTLS does the handshake that the config asks for. Bytes that the peer sent too
// early are [Inject].
func (s Side) StartTLS() error {
	_, err := check(rawStartTLS(int32(s)))
	return err
}

// WaitBoth waits until a side can be read, the end of its stream included, and tells
// which. Both are false when the time is up.
func WaitBoth(ms int) (accepted, outgoing bool, err error) {
	mask, err := check(rawWait(3, int32(ms)))
	return mask&1 != 0, mask&2 != 0, err
}

// Connect dials the target; the code says why it failed.
func Connect() error {
	_, err := check(rawConnect())
	return err
}

// SetTarget chooses the target of [Connect], as "host:port"; capability target. What is no
// such text is [Inval]; whether the config allows it, Connect tells.
func SetTarget(target string) error {
	b := []byte(target)
	_, err := check(rawSetTarget(pointer(b), length(b)))
	return err
}

// SetALPN names the application protocols of the next handshake; none offers nothing.
func SetALPN(names ...string) error {
	var b []byte
	for i, name := range names {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(b, name...)
	}
	_, err := check(rawSetALPN(pointer(b), length(b)))
	return err
}

// Chomp is a line without its line end, LF or CR LF.
func Chomp(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		if n > 1 && line[n-2] == '\r' {
			return line[:n-2]
		}
		return line[:n-1]
	}
	return line
}

// check turns a result of the host into a length and an error.
func check(n int32) (int, error) {
	if n < 0 {
		return 0, Code(n)
	}
	return int(n), nil
}

func pointer(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func length(b []byte) uint32 { return uint32(len(b)) }
