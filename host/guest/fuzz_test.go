package guest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// FuzzCalls has the caller guest make arbitrary calls. Whatever they are, the run ends
// within its time, and never by a fault of the host.
func FuzzCalls(f *testing.F) {
	number := func(name string) byte {
		return byte(slices.IndexFunc(abi.Functions, func(f abi.Function) bool { return f.Name == name }))
	}
	program := func(ds ...do) (b []byte) {
		for _, d := range ds {
			b = append(b, d.record()...)
		}
		return b
	}
	f.Add(program(do{"connect", nil}, do{"wait", []int32{3, 1}}, do{"read", []int32{1, at, 5}}), []byte("220 hello\r\n"))
	f.Add(program(do{"read_line", []int32{0, at, 100}}, do{"starttls", []int32{0}}, do{"write", []int32{0, 0, 9}}), []byte("STARTTLS\r\nx"))
	f.Add(program(do{"peek", []int32{0, at, 3}}, do{"starttls", []int32{0}}, do{"read_full", []int32{0, at, 3}}), []byte("abcdef"))
	f.Add(program(do{"log", []int32{5, 0, 9}}, do{"fail", []int32{5, 0, 9}}, do{"annotate", []int32{0, 1, 1, 1}}, do{"return", []int32{1}}), []byte("\n\xff"))
	r := newRuntime(f, false)
	m := load(f, r, "caller")
	f.Fuzz(func(t *testing.T, program, data []byte) {
		program = program[:min(len(program), 50*32)&^31]
		for i := 0; i < len(program); i += 32 {
			// Most numbers name no function, and end the run before anything happened.
			n := program[i] % byte(len(abi.Functions))
			if _, ok := hostCalls()[abi.Functions[n].Name]; !ok {
				n = number("read")
			}
			binary.LittleEndian.PutUint32(program[i:], uint32(n))
		}
		end := func() net.Conn {
			ours, peer := net.Pipe()
			go func() { _, _ = peer.Write(data) }()
			go func() { _, _ = io.Copy(io.Discard, peer) }()
			t.Cleanup(func() { ours.Close(); peer.Close() })
			return ours
		}
		h := &testHost{accepted: end(), options: map[string]string{"option.program": string(program), "option.data": string(data)}}
		h.connect = func(context.Context) (net.Conn, error) { return end(), nil }
		h.startTLS = func(context.Context, abi.Side, []byte) (net.Conn, error) {
			if len(data)%2 == 0 {
				return nil, errors.New("no")
			}
			return end(), nil
		}
		_, err := m.Negotiate(t.Context(), h, Limits{Busy: time.Millisecond, Time: 100 * time.Millisecond, Clear: 10000})
		if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Kind == KindInternal) {
			t.Fatalf("%v\n%s", err, e.Trace)
		}
		for _, l := range h.lines {
			if len(l) > maxLine+2 || strings.ContainsAny(l, "\r\n\x00") {
				t.Errorf("line %q", l)
			}
		}
	})
}

// A chunkConn gives data in pieces of the given sizes, and then the end.
type chunkConn struct {
	net.Conn
	data, sizes []byte
}

func (c *chunkConn) Read(b []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := min(len(b), len(c.data))
	if len(c.sizes) > 0 {
		n = min(n, int(c.sizes[0])+1)
		c.sizes = c.sizes[1:]
	}
	n = copy(b, c.data[:n])
	c.data = c.data[n:]
	return n, nil
}

func (c *chunkConn) SetDeadline(time.Time) error { return nil }

// FuzzStream reads a stream by any mixture of calls and checks that every byte comes
// once and in order, and that read_line stops at the line feed.
func FuzzStream(f *testing.F) {
	f.Add([]byte("one\r\ntwo\nthree"), []byte{0, 3, 9, 1}, []byte{2, 200, 3, 5, 0, 2, 1, 3})
	f.Add(bytes.Repeat([]byte("0123456789\n"), 1000), []byte{}, []byte{3, 255, 2, 255, 0, 255})
	r := newRuntime(f, true)
	m := load(f, r, "echo")
	f.Fuzz(func(t *testing.T, data, sizes, ops []byte) {
		n := m.newNegotiation(Limits{Clear: 1 << 20})
		defer n.dropBuffers()
		conn := &chunkConn{data: data, sizes: sizes}
		n.adopt(abi.Accepted, conn)
		s := &n.sides[abi.Accepted]
		rest := data
		for ; len(ops) >= 2; ops = ops[2:] {
			dst := make([]byte, 40*int(ops[1]))
			var code abi.Code
			taken := true
			switch ops[0] % 4 {
			case 0:
				code = n.read(s, dst)
			case 1:
				if len(dst) > len(rest) {
					continue // consumes what there is, and says no more than that it ended
				}
				code = n.readFull(s, dst)
			case 2:
				code = n.readLine(s, dst)
				if code > 0 && bytes.IndexByte(dst[:code], '\n') != int(code)-1 {
					t.Fatalf("a line of %q", dst[:code])
				}
			case 3:
				code = n.peek(s, dst)
				taken = false
			}
			if code <= 0 {
				continue
			}
			if !bytes.HasPrefix(rest, dst[:code]) {
				t.Fatalf("operation %d gave %q, want the beginning of %q", ops[0]%4, dst[:code], rest)
			}
			if taken {
				rest = rest[code:]
			}
		}
		if got := slices.Concat(s.unread(), conn.data); !bytes.Equal(got, rest) {
			t.Fatalf("%q is left, want %q", got, rest)
		}
	})
}
