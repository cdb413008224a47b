package record

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/iotest"
)

func TestReaderRefuses(t *testing.T) {
	rec := func(t Type, version, n int) []byte {
		return append([]byte{byte(t), byte(version >> 8), byte(version), byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	for _, c := range []struct {
		name   string
		wire   []byte
		agreed bool
		key    string
		alert  AlertCode
	}{
		{"an unknown type", rec(24, 0x303, 3), true, "", UnexpectedMessage},
		{"another version", rec(Handshake, 0x302, 3), true, "", ProtocolVersion},
		{"an empty handshake record", rec(Handshake, 0x303, 0), true, "", UnexpectedMessage},
		{"too long in the clear", rec(Handshake, 0x303, MaxPlaintext+1), true, "", RecordOverflow},
		{"too long for TLS 1.3", rec(ApplicationData, 0x303, MaxPlaintext+257), true, "1.3 ChaCha20", RecordOverflow},
		{"too long for TLS 1.2", rec(ApplicationData, 0x303, MaxPlaintext+25), true, "1.2 AES-128-GCM", RecordOverflow},
		{"forged", rec(ApplicationData, 0x303, 40), true, "1.2 AES-128-GCM", BadRecordMAC},
	} {
		r := NewReader(bytes.NewReader(c.wire))
		r.Agreed = c.agreed
		if c.key != "" {
			r.Protect(kinds[c.key]())
		}
		_, _, err := r.Next()
		wantAlert(t, c.name, err, c.alert)
		if _, _, again := r.Next(); again != err {
			t.Errorf("%s: the error does not stay: %v", c.name, again)
		}
	}
	for name, c := range map[string]struct {
		wire string
		want error
	}{
		"cut in the header":  {"\x16\x03\x03", io.ErrUnexpectedEOF},
		"cut after it":       {"\x16\x03\x03\x00\x05", io.ErrUnexpectedEOF},
		"cut in the content": {"\x16\x03\x03\x00\x05abc", io.ErrUnexpectedEOF},
	} {
		if _, _, err := NewReader(bytes.NewReader([]byte(c.wire))).Next(); err != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := NewReader(bytes.NewReader([]byte("GET / HTTP/1.1\r\n"))).Next()
	var header interface{ Error() string }
	if !errors.As(err, &header) || header.Error() != "tls: first record does not look like a TLS handshake" {
		t.Errorf("HTTP: %v", err)
	}
}

// late is a source whose every other read has nothing yet.
type late struct {
	io.Reader
	now bool
}

func (l *late) Read(p []byte) (int, error) {
	if l.now = !l.now; l.now {
		return 0, &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	}
	return l.Reader.Read(p[:1])
}

func TestTimeoutsDoNotStay(t *testing.T) {
	rec, err := kinds["1.3 ChaCha20"]().Seal(nil, ApplicationData, []byte("late"))
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(&late{Reader: bytes.NewReader(rec)})
	r.Agreed = true
	r.Protect(kinds["1.3 ChaCha20"]())
	for range len(rec) {
		if _, _, err := r.Next(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		r.src.(*late).now = true // a byte comes, and nothing behind it
	}
	typ, got, err := r.Next()
	if typ != ApplicationData || string(got) != "late" || err != nil {
		t.Errorf("type %d, %q, %v", typ, got, err)
	}
}

// Whatever comes, the Reader ends, gives no more than came and no record beyond its bound.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02ab\x15\x03\x03\x00\x02\x01\x00"), false, false)
	f.Add(must(kinds["1.3 AES-128-GCM"]().Seal(nil, Handshake, []byte("hello"))), true, true)
	f.Add(must(kinds["1.2 AES-128-GCM"]().Seal(nil, Handshake, []byte("hello"))), true, false)
	f.Fuzz(func(t *testing.T, wire []byte, keyed, tls13 bool) {
		r := NewReader(iotest.HalfReader(bytes.NewReader(wire)))
		if keyed {
			r.Agreed = true
			if tls13 {
				r.Protect(kinds["1.3 AES-128-GCM"]())
			} else {
				r.Protect(kinds["1.2 AES-128-GCM"]())
			}
		}
		total := 0
		for {
			typ, content, err := r.Next()
			if err != nil {
				break
			}
			total += len(content) + HeaderLen
			if typ < ChangeCipherSpec || len(content) > MaxPlaintext || total > len(wire) {
				t.Fatalf("type %d, %d bytes, %d of %d in all", typ, len(content), total, len(wire))
			}
		}
		if r.frame != nil {
			t.Error("a Reader that ended holds a buffer")
		}
	})
}
