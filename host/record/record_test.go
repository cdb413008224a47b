package record

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/iotest"
)

// kinds are the keys that a test goes through, made alike each time they are called.
var kinds = map[string]func() *Key{
	"1.2 AES-128-GCM": func() *Key { return must(NewKey12(AES128GCM, fixed(16), fixed(4))) },
	"1.2 AES-256-GCM": func() *Key { return must(NewKey12(AES256GCM, fixed(32), fixed(4))) },
	"1.2 ChaCha20":    func() *Key { return must(NewKey12(ChaCha20Poly1305, fixed(32), fixed(12))) },
	"1.3 AES-128-GCM": func() *Key { return must(NewKey13(AES128GCM, sha256.New, fixed(32))) },
	"1.3 AES-256-GCM": func() *Key { return must(NewKey13(AES256GCM, sha512.New384, fixed(48))) },
	"1.3 ChaCha20":    func() *Key { return must(NewKey13(ChaCha20Poly1305, sha256.New, fixed(32))) },
}

func must(k *Key, err error) *Key {
	if err != nil {
		panic(err)
	}
	return k
}

func fixed(n int) []byte { return bytes.Repeat([]byte{0x5a}, n) }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func alertOf(err error) (AlertCode, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Alert, true
	}
	return 0, false
}

func wantAlert(t *testing.T, what string, err error, want AlertCode) {
	t.Helper()
	if got, ok := alertOf(err); !ok || got != want {
		t.Errorf("%s: %v, want alert %d", what, err, want)
	}
}

// TestSecretsOfRFC8448 checks keys against the trace of RFC 8448, section 3.
func TestSecretsOfRFC8448(t *testing.T) {
	secret := unhex(t, "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
	key, err := ExpandLabel(sha256.New, secret, "key", nil, 16)
	if err != nil || !bytes.Equal(key, unhex(t, "3fce516009c21727d0f2e4e86ee403bc")) {
		t.Errorf("server handshake key %x, %v", key, err)
	}
	k := must(NewKey13(AES128GCM, sha256.New, secret))
	if !bytes.Equal(k.iv[:], unhex(t, "5d313eb2671276ee13000b30")) {
		t.Errorf("server handshake IV %x", k.iv)
	}
}

func TestRoundTrip(t *testing.T) {
	for name, key := range kinds {
		t.Run(name, func(t *testing.T) {
			out, in := key(), key()
			for i, n := range []int{0, 1, 100, MaxPlaintext} {
				content := fixed(n)
				rec, err := out.Seal([]byte("before"), ApplicationData, content)
				if err != nil {
					t.Fatal(err)
				}
				rec = rec[len("before"):]
				if len(rec) != n+out.Overhead() || bytes.Contains(rec, fixed(16)) {
					t.Fatalf("a record of %d bytes has %d", n, len(rec))
				}
				typ, got, err := in.Open(rec)
				if typ != ApplicationData || !bytes.Equal(got, content) || err != nil {
					t.Fatalf("record %d: type %d, %d bytes, %v", i, typ, len(got), err)
				}
			}
			if _, err := out.Seal(nil, ApplicationData, fixed(MaxPlaintext+1)); err == nil {
				t.Error("content beyond a record's bound was sealed")
			}
		})
	}
}

// Every bit of a record is authenticated, and so is its place in the sequence.
func TestForgeriesFail(t *testing.T) {
	for name, key := range kinds {
		t.Run(name, func(t *testing.T) {
			rec, err := key().Seal(nil, Handshake, []byte("content"))
			if err != nil {
				t.Fatal(err)
			}
			for i := range rec {
				if i == 1 || i == 2 {
					if !key().tls13 {
						continue // the Reader checks it, and the AEAD covers the right one
					}
				}
				if i == 3 || i == 4 {
					continue // the length is what was read by it
				}
				forged := bytes.Clone(rec)
				forged[i] ^= 1
				if _, _, err := key().Open(forged); err == nil {
					t.Errorf("byte %d can be changed", i)
				}
			}
			for n := range len(rec) {
				if _, _, err := key().Open(bytes.Clone(rec[:n])); err == nil {
					t.Errorf("a record cut to %d bytes opens", n)
				}
			}
			k := key()
			if _, _, err := k.Open(bytes.Clone(rec)); err != nil {
				t.Fatal(err)
			}
			_, _, err = k.Open(bytes.Clone(rec))
			wantAlert(t, "a record that comes twice", err, BadRecordMAC)
		})
	}
}

func TestNoNonceComesTwice(t *testing.T) {
	for name, key := range kinds {
		t.Run(name, func(t *testing.T) {
			out, in := key(), key()
			out.seq, in.seq = lastSequence, lastSequence
			rec, err := out.Seal(nil, ApplicationData, []byte("the last one"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := out.Seal(nil, ApplicationData, nil); err != ErrExhausted {
				t.Errorf("beyond the last sequence number: %v", err)
			}
			if _, got, err := in.Open(rec); err != nil || string(got) != "the last one" {
				t.Errorf("the last record: %q, %v", got, err)
			}
			if _, _, err := in.Open(rec); err != ErrExhausted {
				t.Errorf("reading beyond the last sequence number: %v", err)
			}
			if !out.tls13 {
				if out.Due() || out.Update() == nil {
					t.Error("TLS 1.2 has a key update")
				}
				return
			}
			if !out.Due() || out.Update() != nil || in.Update() != nil || out.Due() || out.seq != 0 {
				t.Error("a spent key cannot be updated")
			}
			if rec, err = out.Seal(nil, ApplicationData, []byte("after")); err != nil {
				t.Fatal(err)
			}
			if _, got, err := in.Open(rec); string(got) != "after" || err != nil {
				t.Errorf("after the update: %q, %v", got, err)
			}
		})
	}
}

// A key is due for its update before AES-GCM's margin is gone.
func TestUpdateIsDueInTime(t *testing.T) {
	k := kinds["1.3 AES-128-GCM"]()
	k.seq = updateAfter - 1
	if k.Due() {
		t.Error("due too early")
	}
	if _, err := k.Seal(nil, ApplicationData, nil); err != nil || !k.Due() {
		t.Errorf("not due: %v", err)
	}
}

// inner seals any TLSInnerPlaintext, which Seal would not make.
func inner(k *Key, plaintext []byte) []byte {
	rec := appendHeader(nil, ApplicationData, len(plaintext)+k.aead.Overhead())
	k.number(nil)
	rec = k.aead.Seal(rec, k.nonce[:], plaintext, bytes.Clone(rec))
	k.advance()
	return rec
}

func TestPadding(t *testing.T) {
	key := kinds["1.3 AES-128-GCM"]
	for _, c := range []struct {
		name  string
		inner []byte
		alert AlertCode // CloseNotify: none
		want  string
	}{
		{"padded", []byte("hi\x17\x00\x00\x00"), CloseNotify, "hi"},
		{"padded to the bound", append([]byte("hi\x17"), make([]byte, MaxPlaintext-2)...), CloseNotify, "hi"},
		{"empty and padded", []byte("\x17\x00"), CloseNotify, ""},
		{"beyond the bound", append([]byte("hi\x17"), make([]byte, MaxPlaintext-1)...), RecordOverflow, ""},
		{"nothing but padding", make([]byte, 100), UnexpectedMessage, ""},
		{"an empty alert", []byte("\x15\x00"), UnexpectedMessage, ""},
		{"an empty handshake message", []byte("\x16"), UnexpectedMessage, ""},
		{"change_cipher_spec", []byte("\x01\x14"), UnexpectedMessage, ""},
	} {
		typ, got, err := key().Open(inner(key(), c.inner))
		if c.alert != CloseNotify {
			wantAlert(t, c.name, err, c.alert)
			continue
		}
		if err != nil || typ != ApplicationData || string(got) != c.want {
			t.Errorf("%s: type %d, %q, %v", c.name, typ, got, err)
		}
	}
	clear := appendHeader(nil, Alert, 40)
	_, _, err := key().Open(append(clear, make([]byte, 40)...))
	wantAlert(t, "a record in the clear", err, UnexpectedMessage)
}

func TestWriterAndReader(t *testing.T) {
	for name, key := range kinds {
		t.Run(name, func(t *testing.T) {
			var wire bytes.Buffer
			w, r := NewWriter(&wire), NewReader(iotest.OneByteReader(&wire))
			big := bytes.Repeat([]byte("0123456789"), 5000)
			for i := range 2 {
				if err := errors.Join(w.Append(Handshake, big), w.Append(Alert, []byte{1, 2}), w.Flush()); err != nil {
					t.Fatal(err)
				}
				var got []byte
				for len(got) < len(big) {
					typ, part, err := r.Next()
					if typ != Handshake || err != nil {
						t.Fatalf("type %d, %v", typ, err)
					}
					got = append(got, part...)
				}
				if typ, part, err := r.Next(); typ != Alert || string(part) != "\x01\x02" || err != nil || !bytes.Equal(got, big) {
					t.Fatalf("type %d, %x, %v", typ, part, err)
				}
				if i == 0 {
					w.Protect(key())
					r.Protect(key())
					r.Agreed = true
				}
			}
			if _, _, err := r.Next(); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
			if r.frame != nil || w.room != nil {
				t.Error("an idle connection holds a buffer")
			}
		})
	}
}

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

// A write that fails may have sent half a record: no further one may follow it.
func TestWriteErrorsStay(t *testing.T) {
	broken := errors.New("broken")
	w := NewWriter(failing{broken})
	if err := errors.Join(w.Append(Alert, []byte{1, 0}), w.Flush()); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	w.dst = io.Discard
	if err := w.Append(Alert, []byte{1, 0}); err != broken {
		t.Errorf("a write after one that failed: %v", err)
	}
	if err := w.Flush(); err != broken {
		t.Errorf("a flush after one that failed: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Whatever comes, the Reader ends, gives no more than came and no record beyond its bound.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02ab\x15\x03\x03\x00\x02\x01\x00"), false, false)
	f.Add(must2(kinds["1.3 AES-128-GCM"]().Seal(nil, Handshake, []byte("hello"))), true, true)
	f.Add(must2(kinds["1.2 AES-128-GCM"]().Seal(nil, Handshake, []byte("hello"))), true, false)
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

func must2(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func benchmark(b *testing.B, run func(b *testing.B, key func() *Key)) {
	for _, name := range []string{"1.2 AES-128-GCM", "1.3 AES-128-GCM", "1.3 AES-256-GCM", "1.3 ChaCha20"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(MaxPlaintext)
			b.ReportAllocs()
			run(b, kinds[name])
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	benchmark(b, func(b *testing.B, key func() *Key) {
		k, content, room := key(), make([]byte, MaxPlaintext), make([]byte, 0, MaxRecord)
		for b.Loop() {
			if _, err := k.Seal(room, ApplicationData, content); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	benchmark(b, func(b *testing.B, key func() *Key) {
		rec, _ := key().Seal(nil, ApplicationData, make([]byte, MaxPlaintext))
		k, room := key(), make([]byte, len(rec))
		for b.Loop() {
			copy(room, rec)
			k.seq = 0
			if _, _, err := k.Open(room); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkKeyUpdate(b *testing.B) {
	b.ReportAllocs()
	k := kinds["1.3 AES-128-GCM"]()
	for b.Loop() {
		if err := k.Update(); err != nil {
			b.Fatal(err)
		}
	}
}
