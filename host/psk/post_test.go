package psk

import (
	"errors"
	"io"
	"reflect"
	"testing"
)

func TestKeyUpdates(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, nil), config(t, nil))
	for range 3 {
		c.out.Lock()
		if err := c.sendKeyUpdate(); err != nil {
			t.Fatal(err)
		}
		c.out.Unlock()
		exchangeText(t, c, s)
	}
	// One that is asked for.
	c.out.Lock()
	if err := errors.Join(c.out.Append(22, []byte{typeKeyUpdate, 0, 0, 1, updateRequested}), c.out.Update()); err != nil {
		t.Fatal(err)
	}
	c.out.Unlock()
	exchangeText(t, c, s)
	if s.updateAsked.Load() {
		t.Error("the server has not answered")
	}
	exchangeText(t, s, c)
}

// Both sides ask for updates while both write and read (RFC 8446, section 4.6.3): each
// direction's keys change by that direction's order alone.
func TestKeyUpdatesBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, only13), config(t, nil))
	const rounds, size = 200, 3000
	ends := make(chan error, 4)
	for _, side := range []*Conn{c, s} {
		go func() {
			var err error
			for i := 0; i < rounds && err == nil; i++ {
				side.out.Lock()
				request := []byte{typeKeyUpdate, 0, 0, 1, updateRequested}
				// A message may be in two records, under one key.
				err = errors.Join(side.out.Append(22, request[:i%4+1]), side.out.Append(22, request[i%4+1:]), side.out.Update())
				side.out.Unlock()
				if err == nil {
					_, err = side.Write(make([]byte, size))
				}
			}
			ends <- errors.Join(err, side.CloseWrite())
		}()
		go func() {
			n, err := io.Copy(io.Discard, side)
			if err == nil && n != rounds*size {
				err = io.ErrUnexpectedEOF
			}
			ends <- err
		}()
	}
	for range 4 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}

// sequence is the number of the next record under a Writer's or Reader's key, which is the
// record package's own: to come to a late one by records would take a test minutes.
func sequence(half any) *uint64 {
	return (*uint64)(reflect.ValueOf(half).Elem().FieldByName("key").Elem().FieldByName("seq").Addr().UnsafePointer())
}

// A key of TLS 1.3 is replaced after 2^24 records, before AES-GCM's margin is gone (RFC 8446,
// section 5.5), without being asked.
func TestKeyUpdateIsSentInTime(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, only13), config(t, nil))
	const due = 1 << 24
	*sequence(c.out.Writer), *sequence(s.in.Reader) = due-1, due-1
	for _, want := range []uint64{due, 1} { // the second one under the next key
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Read(make([]byte, 2)); n != 1 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if out, in := *sequence(c.out.Writer), *sequence(s.in.Reader); out != want || in != want {
			t.Errorf("the next records are %d and %d, want %d", out, in, want)
		}
	}
	exchangeText(t, c, s)
}
