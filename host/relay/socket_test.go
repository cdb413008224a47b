package relay

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// record makes a TLS record whose header says length, with size bytes behind it.
func record(length, size int) string {
	return string([]byte{23, 3, 3, byte(length >> 8), byte(length)}) + strings.Repeat("x", size)
}

func TestFramedReadStopsAtEachRecord(t *testing.T) {
	peer, c := testpeer.Pair(t)
	s := NewSocket(c)
	s.Frame()
	first, second := record(3, 3), record(1000, 1000)
	send(t, peer, first+second+"\x17\x03")
	big := make([]byte, BufferSize)
	for _, want := range []string{first, second} {
		got := readRecord(t, s, big, len(want))
		if got != want {
			t.Errorf("read %.20q, want %.20q", got, want)
		}
	}
	if got := s.Buffered(); got != 2 {
		t.Errorf("%d bytes buffered, want the 2 of the third header", got)
	}
	peer.CloseWrite()
	// Half a header is no record: the end comes instead.
	if n, err := s.Read(big); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes and %v, want EOF", n, err)
	}
	if !s.Truncated() {
		t.Error("the peer's FIN was not noted")
	}
}

// readRecord reads as crypto/tls does, with a large buffer, until size bytes came.
func readRecord(t *testing.T, s *Socket, big []byte, size int) string {
	t.Helper()
	var got []byte
	for len(got) < size {
		n, err := s.Read(big)
		if err != nil {
			t.Fatalf("after %d bytes: %v", len(got), err)
		}
		got = append(got, big[:n]...)
	}
	return string(got)
}

func TestHasRecord(t *testing.T) {
	for _, c := range []struct {
		name string
		sent string
		want bool
	}{
		{"nothing", "", false},
		{"part of a header", record(3, 0)[:4], false},
		{"a header", record(3, 0), false},
		{"all but one byte", record(3, 2), false},
		{"a whole record", record(3, 3), true},
		{"an empty record", record(0, 0), true},
		{"a record and part of the next", record(3, 3) + "\x17\x03", true},
		{"the longest of TLS 1.2", record(1<<14+2048, 1<<14+2048), true},
		{"all but one byte of it", record(1<<14+2048, 1<<14+2047), false},
		{"a longer one, not whole", record(0xffff, maxRecord), true}, // crypto/tls refuses it by its header
		{"a longer one, as long as is waited for", record(0xffff, maxRecord-recordHeader), true},
		{"a longer one, short of that", record(0xffff, maxRecord-recordHeader-1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Socket{framed: true, nowait: true}
			if err := s.Unread([]byte(c.sent)); err != nil {
				t.Fatal(err)
			}
			if got := s.hasRecord(); got != c.want {
				t.Errorf("hasRecord = %v, want %v", got, c.want)
			}
			s.eof = true
			if !s.hasRecord() {
				t.Error("after the end nothing more comes to wait for")
			}
		})
	}
}

func TestAwaitRecordJoinsPieces(t *testing.T) {
	peer, c := testpeer.Pair(t)
	s := NewSocket(c)
	s.Frame()
	s.nowait = true
	text := record(300, 300)
	go func() {
		for i := range len(text) {
			peer.Write([]byte(text[i : i+1]))
		}
		peer.CloseWrite()
	}()
	if n, err := s.Read(make([]byte, 10)); n != 0 || err != errAgain {
		t.Fatalf("a read before anything is there gave %d, %v", n, err)
	}
	if err := s.awaitRecord(); err != nil {
		t.Fatal(err)
	}
	if got := readRecord(t, s, make([]byte, 512), len(text)); got != text {
		t.Error("the record was changed on its way")
	}
	if err := s.awaitRecord(); err != nil || !s.Truncated() {
		t.Errorf("at the end: %v, truncated %v", err, s.Truncated())
	}
	if _, err := s.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read after the end: %v", err)
	}
}

func TestAwaitRecordTellsAReset(t *testing.T) {
	peer, c := testpeer.Pair(t)
	s := NewSocket(c)
	s.Frame()
	peer.SetLinger(0)
	peer.Close()
	err := s.awaitRecord()
	var op *net.OpError
	if !errors.As(err, &op) || IsAlert(err) {
		t.Errorf("got %v, want the socket's error", err)
	}
}

func TestUnreadComesFirst(t *testing.T) {
	peer, c := testpeer.Pair(t)
	s := NewSocket(c)
	send(t, peer, "later")
	for _, text := range []string{"second ", "first ", ""} {
		if err := s.Unread([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Buffered(); got != len("first second ") {
		t.Errorf("%d bytes buffered", got)
	}
	want(t, s, "first second later")
	if s.buf != nil {
		t.Error("an empty socket holds a buffer")
	}
	if err := s.Unread(make([]byte, BufferSize)); err != nil {
		t.Errorf("a whole buffer is put back: %v", err)
	}
	if err := s.Unread([]byte("x")); err == nil {
		t.Error("more than a buffer was put back")
	}
}

// A negotiation must see every plaintext byte: a read takes no more from the
// kernel than it was asked for.
func TestUnframedReadTakesNoMoreThanAsked(t *testing.T) {
	peer, c := testpeer.Pair(t)
	s := NewSocket(c)
	send(t, peer, "abcdef")
	want(t, s, "abc")
	if s.Buffered() != 0 {
		t.Error("plaintext was read ahead")
	}
	want(t, c, "def")
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Errorf("an empty read gave %d, %v", n, err)
	}
}

// A writes keeps apart what single writes carried.
type writes struct {
	net.Conn
	all  [][]byte
	fail error
}

func (w *writes) Write(p []byte) (int, error) {
	if w.fail != nil {
		return 0, w.fail
	}
	w.all = append(w.all, bytes.Clone(p))
	return len(p), nil
}

func TestCorkJoinsWrites(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int // of writes between Cork and Uncork
		want  []int // of writes that reach the connection
	}{
		{"nothing", nil, nil},
		{"two", []int{10, 20}, []int{30}},
		{"exactly a buffer", []int{BufferSize - 1, 1}, []int{BufferSize}},
		{"one over a buffer", []int{BufferSize, 1}, []int{BufferSize, 1}},
		{"larger than a buffer", []int{5, BufferSize + 1, 7}, []int{5, BufferSize + 1, 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &writes{}
			s := &Socket{Conn: w}
			var sent []byte
			s.Cork()
			for i, n := range c.sizes {
				p := bytes.Repeat([]byte{byte(i)}, n)
				sent = append(sent, p...)
				if m, err := s.Write(p); m != n || err != nil {
					t.Fatalf("write %d gave %d, %v", i, m, err)
				}
			}
			if err := s.Uncork(); err != nil {
				t.Fatal(err)
			}
			var sizes []int
			for _, p := range w.all {
				sizes = append(sizes, len(p))
			}
			if !slices.Equal(sizes, c.want) {
				t.Errorf("writes of %d reached the connection, want %d", sizes, c.want)
			}
			if !bytes.Equal(bytes.Join(w.all, nil), sent) {
				t.Error("bytes were lost, doubled or swapped")
			}
			if s.out != nil {
				t.Error("the buffer is kept")
			}
			s.Write([]byte("after"))
			if got := w.all[len(w.all)-1]; string(got) != "after" {
				t.Error("a write after Uncork is held back")
			}
		})
	}
}

func TestUncorkTellsTheError(t *testing.T) {
	fail := errors.New("broken")
	s := &Socket{Conn: &writes{fail: fail}}
	s.Cork()
	s.Write([]byte("x"))
	if err := s.Uncork(); err != fail {
		t.Errorf("got %v", err)
	}
}

func TestAbortEndsReadsAndWrites(t *testing.T) {
	_, c := testpeer.Pair(t)
	s := NewSocket(c)
	s.Frame()
	c.SetDeadline(time.Time{})
	ended := make(chan error, 2)
	go func() { ended <- s.awaitRecord() }()
	go func() {
		for {
			if _, err := s.Write(make([]byte, BufferSize)); err != nil {
				ended <- err
				return
			}
		}
	}()
	s.Abort()
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
}

func TestResetReachesThePeer(t *testing.T) {
	peer, c := testpeer.Pair(t)
	s := NewSocket(c)
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	_, err := peer.Read(make([]byte, 1))
	if err == nil || err == io.EOF {
		t.Errorf("the peer read %v, want a reset", err)
	}
}

func TestPipesWorkWithoutDescriptors(t *testing.T) {
	a, b := net.Pipe()
	s := NewSocket(b)
	go func() {
		io.WriteString(a, "hello")
		a.Close()
	}()
	got, err := s.next()
	if string(got) != "hello" || err != nil {
		t.Fatalf("read %q, %v", got, err)
	}
	if _, err := s.next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if _, err := s.SyscallConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SyscallConn: %v", err)
	}
	if err := s.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite: %v", err)
	}
}

// TestUnreadWithinARecord puts the front of a record back after it was read alone: the
// record ends where it ended.
func TestUnreadWithinARecord(t *testing.T) {
	t.Parallel()
	near, far := testpeer.Pair(t)
	s := NewSocket(near)
	s.Frame()
	first, second := record(20, 20), record(3, 3)
	if _, err := io.WriteString(far, first+second); err != nil {
		t.Fatal(err)
	}
	front := make([]byte, recordHeader)
	if _, err := io.ReadFull(s, front); err != nil {
		t.Fatal(err)
	}
	if err := s.Unread(front); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{first, second} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(s, got); string(got) != want || err != nil {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
		if s.left != 0 {
			t.Errorf("%d bytes of the record are left", s.left)
		}
	}
}
