package record

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

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
