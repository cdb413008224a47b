package record

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"testing"
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

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
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
