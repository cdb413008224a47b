//go:build !wasm

package main

import (
	"testing"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

// TestServer holds the guest's logic to the protocol without building a module.
func TestServer(t *testing.T) {
	for _, tt := range []struct{ in, out, reason string }{
		{"HELLO\r\nSTARTTLS\r\n", "READY?\r\nGO\r\n", ""},
		{"HELLO\nSTARTTLS\n", "READY?\r\nGO\r\n", ""},
		{"HELO\r\n", "ERROR\r\n", `expected "HELLO", got "HELO"`},
		{"HELLO\r\nSTART", "READY?\r\n", "reading: connection closed"},
		{"HELLO\r\nSTARTTLS\r\nDELETE\r\n", "READY?\r\nGO\r\n", "starting TLS: plaintext came before the handshake"},
	} {
		f := &stunnel.Fake{In: [2][]byte{stunnel.Accepted: []byte(tt.in)}}
		stunnel.Use(f)
		status, reason := negotiate(), ""
		if f.Failed != nil {
			reason = f.Failed.Sentence
		}
		if out := f.Out[stunnel.Accepted].String(); out != tt.out || reason != tt.reason || (status == 0) != (tt.reason == "") {
			t.Errorf("%q: status %d, sent %q, refused with %q", tt.in, status, out, reason)
		}
		if done := tt.reason == ""; f.TLS[stunnel.Accepted] != done || f.Connected != done {
			t.Errorf("%q: TLS %v, connected %v", tt.in, f.TLS, f.Connected)
		}
	}
}
